/** How long our functions may run, against what takes for granted that they have ended (`known-places.ts`). */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { placesSettleMs } from '@tandem-clouds/replication/bounds';

/** Of Lambda, which no function can be longer than. */
const LONGEST_MS = 15 * 60_000;

const textOf = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('no function runs for longer than Lambda lets any, and a site waits for eight such times before it removes records', () => {
  const aws = parse(textOf('serverless.aws.yml')) as {
    provider: { timeout: number };
    functions: readonly Readonly<Record<string, { timeout?: number }>>[];
  };
  const functions = aws.functions.flatMap((each) => (typeof each === 'object' ? Object.values(each) : []));
  const seconds = [aws.provider.timeout, ...functions.map(({ timeout }) => timeout ?? 0)];
  expect(seconds.length).toBeGreaterThan(8);
  const azure = JSON.parse(textOf('host.json')) as { functionTimeout: string };
  const [hours = NaN, minutes = NaN, rest = NaN] = azure.functionTimeout.split(':').map(Number);
  const ours = [...seconds.map((each) => each * 1_000), ((hours * 60 + minutes) * 60 + rest) * 1_000];
  expect(Math.max(...ours)).toBeLessThanOrEqual(LONGEST_MS);
  expect(placesSettleMs).toBeGreaterThanOrEqual(8 * LONGEST_MS);
});
