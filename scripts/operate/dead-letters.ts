/** `tandem dlq`: what was set aside, why, and what becomes of it. */
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import { type CausesView, OperatorApi, type SettledView } from '@tandem-clouds/operator/operator-api';
import { findSite, findTargets, TargetError } from '@tandem-clouds/operator/targets';
import { deadLetterSettlesMax } from '../../src/shared/bounds.ts';
import type { DeadLetterOptions } from './options.ts';

/** Returns the exit status: 1 when a letter could not be settled. @throws TargetError */
export async function deadLetters(options: DeadLetterOptions, context: CommandContext): Promise<number> {
  switch (options.action) {
    case 'list':
      return list(options, context);
    case 'show':
      return show(options, context);
    case 'replay':
    case 'discard':
      return settle(options, context);
  }
}

async function list(options: DeadLetterOptions, { out }: CommandContext): Promise<number> {
  const targets = options.at === undefined ? findTargets(options) : [await findSite(options, options.at)];
  for (const target of targets) {
    const found = await new OperatorApi(target).causes();
    const site = target.site ?? target.url;
    out(options.json ? `${JSON.stringify({ site, ...found })}\n` : listing(site, found));
  }
  return 0;
}

function listing(site: string, { causes, scanned, atLeast }: CausesView): string {
  if (causes.length === 0) return `${site}: no dead letters\n`;
  const rows = causes.map(({ messages, source, reason, newest, ids, detail }) => [
    String(messages),
    source || 'unknown',
    reason,
    newest,
    ids[0] ?? '',
    detail,
  ]);
  const table = aligned([['letters', 'from', 'reason', 'newest', 'for example', 'detail'], ...rows]);
  const more = atLeast ? `  (the first ${scanned}; there may be more)` : '';
  return `${site}${more}\n${table.map((row) => `  ${row}`).join('\n')}\n`;
}

async function show(options: DeadLetterOptions, { out }: CommandContext): Promise<number> {
  const message = await new OperatorApi(await findSite(options, options.at)).message(options.ids[0] ?? '');
  const { id, source, reason, detail, at, body } = message;
  out(
    options.json
      ? `${JSON.stringify(message)}\n`
      : `id      ${id}\nfrom    ${source || 'unknown'}\nreason  ${reason}\ndetail  ${detail}\nsince   ${at}\n\n${body}\n`,
  );
  return 0;
}

/** Request after request, at most `rate` letters a second, until none is left that was there at the start. */
async function settle(options: DeadLetterOptions, context: CommandContext): Promise<number> {
  const { action, dryRun, rate, ids, source, reason, edit, json } = options;
  const { out, err, isTerminal, signal } = context;
  const api = new OperatorApi(await findSite(options, options.at));
  const event = edit === undefined ? undefined : readEvent(edit);
  const { now: before } = await api.causes();
  const selection = {
    before,
    ...(ids.length > 0 && { ids }),
    ...(source !== undefined && { source }),
    ...(reason !== undefined && { reason }),
    ...(options.all && { all: true }),
    ...(event !== undefined && { event }),
  };
  const failed = new Map<string, string>();
  let settled = 0;
  let last: SettledView;
  for (;;) {
    const begunAt = performance.now();
    const limit = Math.min(rate, deadLetterSettlesMax);
    last = await api.settle(action as 'replay' | 'discard', { ...selection, limit, dryRun });
    settled += last.settled;
    for (const { id, detail } of last.failed) failed.set(id, detail);
    if (isTerminal && !json) err(`${settled} ${doneWord(action)} …\n`);
    // What cannot be settled stays where it is and would be met again.
    const isOver = last.settled === 0 || (ids.length > 0 && settled + failed.size >= ids.length);
    if (dryRun || isOver || signal.aborted) break;
    await delay(Math.max(0, (1_000 * limit) / rate - (performance.now() - begunAt)));
  }
  const count = dryRun ? last.matched : settled;
  const problems = [...failed].map(([id, detail]) => ({ id, detail }));
  if (json) out(`${JSON.stringify({ action, dryRun, settled: count, failed: problems })}\n`);
  else {
    const more = dryRun && last.atLeast ? 'at least ' : '';
    out(
      `${more}${count} ${count === 1 ? 'letter' : 'letters'} ${dryRun ? 'would be ' : ''}${doneWord(action)}\n`,
    );
    for (const { id, detail } of problems) err(`${id} stays: ${detail}\n`);
  }
  return failed.size > 0 ? 1 : 0;
}

function doneWord(action: DeadLetterOptions['action']): string {
  return action === 'discard' ? 'discarded' : 'replayed';
}

function readEvent(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as unknown;
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `it is not JSON: ${cause.message}` : String(cause);
    throw new TargetError(`${file} cannot be sent in place of the letter: ${why}`, { cause });
  }
}
