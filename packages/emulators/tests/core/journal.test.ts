/** The journal of the emulators, on a disk that is full. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnLimited } from '../../../../tests/helpers/limited.ts';
import { Journal } from '../../src/core/journal.ts';

const MAIN = path.join(import.meta.dirname, '../../../../tests/helpers/journal-main.ts');
const DISK_BYTES = 4_096;

let dir: string;
let file: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'journal-'));
  file = path.join(dir, 'journal.jsonl');
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true });
});

function replayed(): number[] {
  const found: number[] = [];
  Journal.open<{ n: number }>(file, ({ n }) => found.push(n)).close();
  return found;
}

describe('a journal whose disk is full', () => {
  interface Report {
    readonly accepted: readonly number[];
    readonly large: number;
    readonly length: number;
    readonly refusals: readonly string[];
  }
  let report: Report;

  beforeEach(async () => {
    const child = spawnLimited(DISK_BYTES, ['--disable-warning=ExperimentalWarning', MAIN, file]);
    report = JSON.parse(await text(child.stdout!)) as Report;
  });

  test('holds exactly the entries that it accepted, also those after one that it refused', () => {
    expect(report.refusals.length).toBeGreaterThanOrEqual(3);
    expect(report.accepted.length).toBeGreaterThan(report.large);
    expect(replayed()).toEqual(report.accepted);
  });

  test('counts only what it holds', () => {
    // One more was accepted after it had been counted.
    expect(report.length).toBe(report.accepted.length - 1);
  });

  test('names the file, the reason and what to do', () => {
    expect(report.refusals[0]).toMatch(/journal\.jsonl cannot be written \(EFBIG.*make room/);
  });

  test('stays as it is when it cannot be compacted, and leaves nothing beside it', () => {
    expect(replayed()).toContain(report.accepted.at(-1));
    expect(fs.readdirSync(dir)).toEqual(['journal.jsonl']);
  });
});
