/** The findings of a site as a table for people, and below it what is to be mended. */
import { aligned } from '@tandem-clouds/command-line/table';
import type { SiteReport } from './check-site.ts';
import type { Reading } from './read-finding.ts';

const SEEN_CHARS = 90;

export function toText({ site, cloud, readings }: SiteReport): string {
  const rows = readings.map((reading) => [
    wordOf(reading),
    reading.probe,
    reading.subject,
    reading.seen.slice(0, SEEN_CHARS),
  ]);
  const [heading = '', ...lines] = aligned([['', 'probe', 'of', 'seen'], ...rows]);
  const refused = readings.filter(({ result }) => result === 'refused');
  const open = refused.filter(({ isHarmless }) => !isHarmless);
  const skipped = readings.filter(({ result }) => result === 'skipped').length;
  return [
    heading,
    ...lines,
    '',
    ...refused.flatMap(mendOf),
    `${site} on ${cloud}: ${readings.length - refused.length - skipped} ok, ${open.length} to be mended, ${
      refused.length - open.length
    } harmless, ${skipped} not checked`,
    '',
  ].join('\n');
}

/** The exit status: 0 when nothing is to be mended. */
export function statusOf({ readings }: SiteReport): number {
  return readings.some(({ result, isHarmless }) => result === 'refused' && !isHarmless) ? 1 : 0;
}

function wordOf({ result, isHarmless }: Reading): string {
  switch (result) {
    case 'ok':
      return 'ok';
    case 'skipped':
      return 'not checked';
    case 'refused':
      return isHarmless ? 'harmless' : 'REFUSED';
  }
}

function mendOf({ probe, subject, calls, needs, means = '', mend = '', seen, source }: Reading): string[] {
  return [
    `${probe} ${subject}`.trim(),
    `  called   ${calls}`,
    `  needs    ${needs}`,
    `  means    ${means}`,
    `  mend     ${mend}`,
    `  said     ${seen}`,
    `  source   ${source}`,
    '',
  ];
}
