/**
 * `bench compare`: what it takes to compare two sites, one on each cloud, through the real SDKs: time and the
 * bytes that cross, for identical sites and for sites with differences, and how both grow with the records.
 */
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { Comparison } from './compare/comparison.ts';
import { RECORD_BYTES, recordOf } from './compare/records.ts';
import { openStores } from './compare/stores.ts';
import { ROOT } from './service-bundles.ts';

const BATCH = 500;
const DIFFERENCES = [0, 10, 1_000] as const;
/** Identical sites exchange less than one per cent of what they hold. */
const SHARE_BELOW = 1;
/** Ten times the records take at most eleven times as long. */
const GROWTH_MAX = 11;

async function measure(records: number, progress: (line: string) => void): Promise<Findings> {
  const { stores, close } = await openStores();
  const [aws, azure] = stores;
  const keys = Array.from({ length: records }, (_, index) => index);
  const fill = async (from: number, to: number, version = 0, into = [aws, azure]): Promise<void> => {
    for (let at = from; at < to; at += BATCH) {
      const batch = keys.slice(at, Math.min(at + BATCH, to)).map((index) => recordOf(index, version));
      await Promise.all(into.map((store) => store.overwrite(batch)));
      if (at % 10_000 === 0) progress(`${at} of ${to} records written`);
    }
  };
  try {
    const few = records / 10;
    await fill(0, few);
    await new Comparison(aws, azure).run();
    const small = await new Comparison(aws, azure).run();
    await fill(few, records);
    const figures: Figure[] = [];
    for (const differences of DIFFERENCES) {
      await fill(0, differences, 1, [aws]);
      progress(`comparing with ${differences} differences`);
      const { seconds, bytes, differing } = await new Comparison(aws, azure).run();
      const name = `${differences} differences`;
      const share = (bytes / (records * RECORD_BYTES)) * 100;
      figures.push(
        figure(`${name}: found`, differing, '', { exactly: differences }),
        figure(`${name}: records compared a second`, records / seconds, '1/s'),
        figure(`${name}: bytes exchanged`, bytes, 'bytes'),
        figure(`${name}: of the data`, share, '%', differences === 0 ? { below: SHARE_BELOW } : undefined),
        ...(differences === 0
          ? [
              figure('time for ten times the records', seconds / small.seconds, 'times', {
                atMost: GROWTH_MAX,
              }),
            ]
          : []),
      );
    }
    const notes = [
      `${records} records of ${RECORD_BYTES} bytes at each site, scanned through the SDKs from emulators in processes of their own`,
      'both sides are scanned one after the other by this one process, without the grace for what is under way',
    ];
    return { figures, notes };
  } finally {
    await close();
  }
}

/** Returns the exit status. */
export async function benchCompare({
  records,
  json,
}: {
  readonly records: number;
  readonly json: boolean;
}): Promise<number> {
  return report(
    { title: 'Comparing two sites', json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(records, progress),
  );
}
