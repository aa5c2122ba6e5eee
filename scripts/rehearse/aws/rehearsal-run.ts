/** What the steps of the AWS rehearsal share. */
import assert from 'node:assert/strict';
import type { Ran, Workplace } from '../command.ts';
import type { Report } from '../report.ts';
import type { Fault, Front } from './front.ts';
import type { Query } from './inventory.ts';

export const STACK = 'tandem-prod';
/** Folders of two packages. */
export const FIRST = '.artifacts/first';
export const SECOND = '.artifacts/second';

export interface RehearsalRun {
  readonly report: Report;
  readonly place: Workplace;
  readonly front: Front;
  readonly query: Query;
  /** Everything that there is, as `kind name`. */
  readonly left: () => Promise<string[]>;
  readonly run: (args: readonly string[], fault?: Fault, env?: Record<string, string>) => Promise<Ran>;
}

/** Runs a command that must succeed. */
export async function succeeds({ run }: RehearsalRun, args: readonly string[]): Promise<Ran> {
  const ran = await run(args);
  assert.equal(ran.code, 0, ran.output);
  return ran;
}

/** What kinds of resources there are, one for each. */
export function kinds(all: readonly string[]): string[] {
  return all.map((one) => one.split(' ')[0] ?? '');
}
