import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  artefactOf,
  keepRelease,
  keptReleases,
  releaseBefore,
  schemaOf,
} from '../../../infra/rollout/releases.ts';

let artifacts: string;
let releases: string;

beforeEach(() => {
  artifacts = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-releases-'));
  releases = path.join(artifacts, 'releases');
});

afterEach(() => {
  fs.rmSync(artifacts, { recursive: true, force: true });
});

function pack(version: string, day: number): void {
  for (const cloud of ['aws', 'azure']) {
    fs.mkdirSync(path.join(artifacts, cloud), { recursive: true });
    fs.writeFileSync(path.join(artifacts, cloud, 'app.zip'), version);
  }
  keepRelease({ version, madeAt: `2026-01-0${day}T00:00:00.000Z` }, `of ${version}`, artifacts);
}

const versions = (): string[] => keptReleases(releases).map(({ version }) => version);

describe('kept releases', () => {
  test('are listed with the latest first, and hold what was packaged', () => {
    pack('1.0.0', 1);
    pack('1.1.0', 2);
    expect(versions()).toEqual(['1.1.0', '1.0.0']);
    const file = path.join(artefactOf('1.0.0', 'azure', releases), 'app.zip');
    expect(fs.readFileSync(file, 'utf8')).toBe('1.0.0');
  });

  test('say what they declare, and nothing of what is not kept', () => {
    pack('1.0.0', 1);
    expect(schemaOf('1.0.0', releases)).toBe('of 1.0.0');
    expect(schemaOf('../releases/1.0.0', releases)).toBeUndefined();
    fs.rmSync(path.join(releases, '1.0.0', 'schema.json'));
    expect(schemaOf('1.0.0', releases)).toBeUndefined();
  });

  test('are five at most: the oldest goes', () => {
    for (let day = 1; day <= 6; day += 1) pack(`1.${day}.0`, day);
    expect(versions()).toEqual(['1.6.0', '1.5.0', '1.4.0', '1.3.0', '1.2.0']);
  });

  test('name what is there when another one is asked for', () => {
    pack('1.0.0', 1);
    expect(() => artefactOf('9.0.0', 'aws', releases)).toThrow(
      'release 9.0.0 is not in .artifacts/releases; kept are: 1.0.0',
    );
  });

  test('know what was made before one of them, or before one that is not kept', () => {
    pack('1.0.0', 1);
    pack('1.1.0', 2);
    const kept = keptReleases(releases);
    expect(releaseBefore('1.1.0', kept)).toBe('1.0.0');
    expect(releaseBefore('1.0.0', kept)).toBeUndefined();
    expect(releaseBefore('0.9.0', kept)).toBe('1.1.0');
  });
});
