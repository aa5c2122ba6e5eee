import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import * as aws from '../../../src/shared/adapters/aws/cloud.ts';
import * as azure from '../../../src/shared/adapters/azure/cloud.ts';
import type { Cloud } from '../../../src/shared/ports/cloud.ts';

// Compiles only while both modules have the shape that the core imports from "#cloud".
const clouds: readonly Cloud[] = [aws, azure];

test('both clouds export the same names', () => {
  const [first, second] = clouds.map((cloud) => Object.keys(cloud).sort());
  expect(first).toEqual(second);
});

test('both adapter folders hold the same files, but for how each stores a record and signs in', () => {
  const files = (cloud: string): string[] =>
    fs
      .readdirSync(path.join(import.meta.dirname, '../../../src/shared/adapters', cloud))
      .filter((file) => !['item.ts', 'document.ts', 'credential.ts'].includes(file))
      .sort();
  expect(files('aws')).toEqual(files('azure'));
});
