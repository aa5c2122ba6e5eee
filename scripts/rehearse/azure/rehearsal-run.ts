/** What the steps of the Azure rehearsal share. */
import assert from 'node:assert/strict';
import type { AzureControlPlane } from '@tandem-clouds/emulators/azure-control-plane/server';
import { type Ran, reported, type Workplace } from '../command.ts';
import type { Report } from '../report.ts';

export const SUBSCRIPTION = '11111111-2222-3333-4444-555555555555';
export const GROUP = 'tandem-westeurope-prod';
export const APP = 'rehearsed-tandem';
export const FIRST = 'earlier.zip';

export interface RehearsalRun {
  readonly report: Report;
  readonly place: Workplace;
  readonly azure: AzureControlPlane;
  readonly run: (args: readonly string[], env?: Record<string, string>) => Promise<Ran>;
}

/** Runs a command that must succeed. */
export async function succeeds({ run }: RehearsalRun, args: readonly string[]): Promise<Ran> {
  const ran = await run(args);
  assert.equal(ran.code, 0, ran.output);
  return ran;
}

/** Runs a command that must fail, in words that match; returns what it said. */
export async function refuses(
  { run }: RehearsalRun,
  args: readonly string[],
  message: RegExp,
  env?: Record<string, string>,
) {
  const ran = await run(args, env);
  assert.notEqual(ran.code, 0, ran.output);
  assert.match(ran.output, message);
  return reported(ran);
}

/** Types of what is in the group, each once. */
export const typesIn = ({ azure }: RehearsalRun): string[] => [
  ...new Set([...(azure.manager.groups.get(GROUP)?.resources.values() ?? [])].map(({ type }) => type)),
];

export const DEPLOY = ['deploy', '--package', FIRST];
