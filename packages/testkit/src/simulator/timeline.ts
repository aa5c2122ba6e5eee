/** What happened to one key, a column per site: what a person reads when a seed has failed. */
import type { CommittedWrite } from '../history/facts.ts';

export interface TimelineEntry {
  readonly atMs: number;
  readonly site: string;
  readonly text: string;
  readonly tone: Tone;
  /** A message that leaves this site's hands for a peer's queue, or that the peer has dealt with. */
  readonly crossing?: { readonly message: number; readonly from?: string };
}

/** What kind of thing an entry is about. */
export type Tone = 'client' | 'store' | 'queue' | 'fault' | 'finding';

/** A fault that lasts: at one site, or on the way from one to another. */
export interface Band {
  readonly text: string;
  readonly sites: readonly string[];
  readonly fromMs: number;
  untilMs: number;
}

const COLUMN = 46;
const TIME = 11;

/** Text of at most `linesMax` entries, the last ones, oldest first. */
export function timelineText(
  sites: readonly string[],
  entries: readonly TimelineEntry[],
  linesMax = 150,
): string {
  const header = ' '.repeat(TIME) + sites.map((site) => site.padEnd(COLUMN)).join('');
  const shown = entries.slice(-linesMax);
  const skipped = entries.length - shown.length;
  return [
    header.trimEnd(),
    ...(skipped > 0 ? [`(${skipped} earlier entries)`] : []),
    ...shown.map((entry) => line(sites, entry)),
  ].join('\n');
}

function line(sites: readonly string[], { atMs, site, text }: TimelineEntry): string {
  const time = `${(atMs / 1000).toFixed(3)} s`.padStart(TIME - 1) + ' ';
  const indent = ' '.repeat(Math.max(0, sites.indexOf(site)) * COLUMN);
  return time + indent + text;
}

/** The readable part of a stamp: `…2p0001@aws-1` for the last digits of its time, its counter and its site. */
export function shortStamp(stamp: string | undefined): string {
  if (stamp === undefined) return '-';
  const [head = '', site = ''] = stamp.split('.');
  return `…${head.slice(-9)}@${site}`;
}

/** What a write meant, in few words: `name="n1" tags +"red" visits +3`. */
export function meaningText(meant: Pick<CommittedWrite, 'fields' | 'meant'> | undefined): string {
  const wholes = Object.entries(meant?.fields ?? {})
    .filter(([field, value]) => !field.startsWith('$') || value === true)
    .map(([field, value]) => `${field}=${JSON.stringify(value).slice(0, 12)}`);
  const rest = Object.entries(meant?.meant ?? {}).flatMap(([field, { add = [], remove = [], by, rank }]) => {
    const signs = [
      ...add.map((each) => `+${JSON.stringify(each)}`),
      ...remove.map((each) => `−${JSON.stringify(each)}`),
    ];
    if (by !== undefined) signs.push(`${by < 0 ? '−' : '+'}${Math.abs(by)}`);
    if (rank !== undefined) signs.push(`rank ${rank}`);
    return signs.length === 0 ? [] : [`${field} ${signs.join(' ')}`];
  });
  return [...wholes, ...rest].join(' ');
}
