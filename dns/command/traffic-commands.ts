/** `shift`, `drain`, `failover` and `restore`. Each returns the exit status. */
import path from 'node:path';
import { own } from '@tandem-clouds/command-line/own';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { prepareFile, writeFile } from '@tandem-clouds/command-line/write-file';
import { RefusedError, TrafficError } from '../errors.ts';
import { withLock } from '../plan/lock.ts';
import type { Timeline } from '../shift/move.ts';
import { shareOf } from '../shift/steps.ts';
import { traffic, type TrafficRequest } from '../shift/traffic.ts';
import type { Context } from './zone-commands.ts';

const TIMELINES = path.join('.tandem', 'traffic');

export async function trafficCommand(context: Context): Promise<number> {
  const { line, policy, provider, commandContext } = context;
  refuseUnknown(context);
  // What cannot be written there is known before traffic moves.
  if (line.timeline !== undefined) prepareFile(line.timeline);
  const { clock, observe, probe, signal, whenStopped, onMoment } = commandContext;
  const report = (text: string): void => (line.json ? commandContext.err : commandContext.out)(`${text}\n`);
  const timeline = await withLock(
    { provider, clock, report: (text) => commandContext.err(`${text}\n`) },
    async (lock) =>
      traffic(
        {
          ...{ policy, provider, lock, clock, observe, probe, report, signal },
          ...(whenStopped !== undefined && { whenStopped }),
          ...(onMoment !== undefined && { onMoment }),
        },
        requestOf(line),
      ),
  );
  const file = write(context, timeline);
  const { result, reason } = timeline;
  report(`${line.command}: ${result}${reason === undefined ? '' : `: ${reason}`}\ntimeline: ${file}`);
  if (line.json) commandContext.out(`${JSON.stringify(timeline)}\n`);
  return result === 'done' ? 0 : 1;
}

/** What a command line asks for. */
export function requestOf({ command, site = '', percent = 0, now, force }: Context['line']): TrafficRequest {
  switch (command) {
    case 'failover':
      return { kind: command, site, force };
    case 'restore':
      return { kind: command, now };
    case 'shift':
    case 'drain':
      return { kind: 'shift', site, percent };
    case 'plan':
    case 'apply':
    case 'status':
    case 'dump':
      throw new UsageError(`${command} moves no traffic`);
  }
}

/** @throws RefusedError for a site that is unknown, or cannot be shifted to a share. */
export function refuseUnknown({ line, policy }: Pick<Context, 'line' | 'policy'>): void {
  const { site, percent, command } = line;
  if (site === undefined) return;
  if (own(policy.sites, site) === undefined) {
    throw new RefusedError(
      `there is no site '${site}'; the sites are: ${Object.keys(policy.sites).join(', ')}`,
    );
  }
  if (command === 'shift' && percent !== 0 && shareOf(policy, site, new Map()) === undefined) {
    throw new RefusedError(
      `${site} answers no weighted name, so it has no share; use drain, failover or restore`,
    );
  }
}

function write({ line, commandContext }: Context, timeline: Timeline): string {
  const { command, site, percent, timeline: wanted } = line;
  const name = `${new Date(commandContext.clock.now()).toISOString().replaceAll(':', '')}-${command}.json`;
  const file = wanted ?? path.join(TIMELINES, name);
  try {
    writeFile(file, `${JSON.stringify({ command, site, percent, ...timeline }, undefined, 2)}\n`);
  } catch (error) {
    throw new TrafficError(`${timeline.result}, but the timeline is lost: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return file;
}
