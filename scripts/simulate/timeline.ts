/** What happened to one key, a column per site: what a person reads when a seed has failed. */
export interface TimelineEntry {
  readonly atMs: number;
  readonly site: string;
  readonly text: string;
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
