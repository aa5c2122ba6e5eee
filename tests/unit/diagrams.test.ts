/** docs/diagrams: pictures are committed, so that they can be read where nothing draws Mermaid. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { diagramNames, DIAGRAMS, stampOf } from '../../scripts/diagrams/stamp.ts';

describe('a diagram', () => {
  test('is there at all', () => {
    expect(diagramNames()).toEqual(expect.arrayContaining(['architecture', 'deployment', 'request']));
  });

  test.each(diagramNames())(
    '%s: its pictures are those of its source (npm run tandem -- diagrams)',
    (name) => {
      const svg = fs.readFileSync(path.join(DIAGRAMS, `${name}.svg`), 'utf8');
      expect(svg.trimEnd().split('\n').at(-1)).toBe(stampOf(name));
    },
  );
});
