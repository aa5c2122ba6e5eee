/** `tandem conflicts`: which writes lost against one that had not seen them, and what an operator makes of it. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { type ConflictView, OperatorApi } from '@tandem-clouds/operator/operator-api';
import { findSite, findTargets } from '@tandem-clouds/operator/targets';
import type { ConflictOptions } from './options.ts';

const VALUE_CHARACTERS = 40;

/** Returns the exit status, 0. @throws TargetError */
export async function conflicts(options: ConflictOptions, { out, err }: CommandContext): Promise<number> {
  const { action, at, ids, json, limit } = options;
  // The log is the same at every site, so any will do.
  const [first] = findTargets(options);
  const api = new OperatorApi(at === undefined && first !== undefined ? first : await findSite(options, at));
  const [id = ''] = ids;
  switch (action) {
    case 'list': {
      const { items, unreadable = [] } = await api.conflicts(limit);
      out(json ? items.map((entry) => `${JSON.stringify(entry)}\n`).join('') : listOf(items));
      if (unreadable.length > 0)
        err(`The site cannot read ${unreadable.join(', ')}; \`status --keys\` says why.\n`);
      return 0;
    }
    case 'show': {
      const entry = await api.conflict(id);
      out(json ? `${JSON.stringify(entry)}\n` : detailsOf(entry));
      return 0;
    }
    case 'override': {
      const { value, note } = options;
      const entry = await api.override(id, {
        ...(value !== undefined && { value: JSON.parse(value) as unknown }),
        ...(note !== undefined && { note }),
      });
      out(json ? `${JSON.stringify(entry)}\n` : detailsOf(entry));
      return 0;
    }
  }
}

/** Two writes of one value are a conflict too, but nothing for a person to decide. */
function listOf(all: readonly ConflictView[]): string {
  if (all.length === 0) return 'No write has lost against one that had not seen it.\n';
  const entries = all.filter(
    ({ loser, winner }) => JSON.stringify(loser.value) !== JSON.stringify(winner.value),
  );
  const equal = all.length - entries.length;
  const rest = equal === 0 ? '' : `${equal} more between equal values; --json shows them.\n`;
  return entries
    .map(({ id, record, field, loser, winner, override }) =>
      [
        `${id}  ${loser.at}  ${record} ${field}${override === undefined ? '' : '  overridden'}`,
        `    lost  ${loser.site.padEnd(20)} ${short(loser.value)}`,
        `    won   ${winner.site.padEnd(20)} ${short(winner.value)}`,
        '',
      ].join('\n'),
    )
    .concat(rest)
    .join('');
}

function detailsOf({ id, record, field, loser, winner, reason, override }: ConflictView): string {
  const version = (word: string, { at, site, stamp, value }: ConflictView['loser']): string =>
    `${word} ${at} at ${site} (${stamp}):\n  ${value === undefined ? 'see the record' : JSON.stringify(value)}\n`;
  const decided = override === undefined ? '' : `overridden: ${JSON.stringify(override)}\n`;
  return `${id}\n${record}, field ${field}: the winner is ${reason}\n${version('lost', loser)}${version('won ', winner)}${decided}`;
}

function short(value: unknown): string {
  const text = value === undefined ? 'see the record' : JSON.stringify(value);
  return text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS)}…`;
}
