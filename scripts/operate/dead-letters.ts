/** `tandem dlq`: what was set aside, why, and what becomes of it. */
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import { type CausesView, OperatorApi } from '@tandem-clouds/operator/operator-api';
import { settleLetters } from '@tandem-clouds/operator/settle-letters';
import { findSite, findTargets, TargetError } from '@tandem-clouds/operator/targets';
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
  const wanted = { action: action as 'replay' | 'discard', selection, rate, dryRun };
  const { settled, failed, last } = await settleLetters(wanted, {
    settle: (what, chosen) => api.settle(what, chosen),
    wait: (ms) => delay(ms),
    progress: (sum) => {
      if (isTerminal && !json) err(`${sum} ${doneWord(action)} …\n`);
    },
    signal,
  });
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
