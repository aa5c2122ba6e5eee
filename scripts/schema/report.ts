/** What `schema check` found, for people. */
import { aligned } from '@tandem-clouds/command-line/table';
import type { SchemaChange } from './change.ts';
import type { Scanned } from './scan.ts';

export interface SchemaReport {
  /** What the declarations were compared with. */
  readonly against: string;
  readonly changes: readonly SchemaChange[];
  /** Places of the breaking ones that nobody allowed. */
  readonly refused: readonly string[];
  readonly stored: readonly Scanned[];
}

export function reportText({ against, changes, refused, stored }: SchemaReport): string {
  const lines = [
    `Compared with ${against}: ${changes.length === 0 ? 'nothing has changed.' : `${changes.length} change${changes.length === 1 ? '' : 's'}.`}`,
    ...changes.flatMap((change) => changeLines(change, refused)),
    ...stored.flatMap(storedLines),
    ...(refused.length > 0 ? [`Refused: ${refused.length} breaking.`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function changeLines({ kind, place, what, mend }: SchemaChange, refused: readonly string[]): string[] {
  const isAllowed = kind === 'breaking' && !refused.includes(place);
  const word = { additive: 'additive', backfill: 'needs a backfill', breaking: 'BREAKING' }[kind];
  return [
    `${word}${isAllowed ? ', allowed' : ''}: ${place} ${what}`,
    ...(mend === '' ? [] : [`    ${mend}`]),
  ];
}

function storedLines({ entity, served, records, unreadable, broken, cursor }: Scanned): string[] {
  if (!served) return [`${entity}: the site has no such records`];
  const rows = broken.map(({ field, rule, count, examples }) => [
    `    ${field}`,
    rule,
    String(count),
    examples.join(' '),
  ]);
  return [
    `${entity}: ${records} records were read${broken.length === 0 ? ', and all keep the declaration' : '; of them break it:'}`,
    ...aligned(rows, [2]),
    ...(unreadable > 0 ? [`    ${unreadable} cannot be read at this site`] : []),
    ...(cursor === undefined ? [] : [`    there are more: --entity ${entity} --cursor ${cursor}`]),
  ];
}
