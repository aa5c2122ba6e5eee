/**
 * What is known of the latest comparison of two sites: a record like any other, so every site can tell.
 *
 * Invariant: only the site that began the comparison writes it. A result that cannot be kept, for good, is noted among the
 * keys that this site cannot use, and stops no comparison.
 */
import { isPermanent } from '../errors.ts';
import type { Json } from '../json.ts';
import { localWrite } from '../local-write.ts';
import { isConfined } from '../placement.ts';
import { get, type Protocol, type Site } from '../protocol.ts';
import { plainValues, type StoredRecord } from '../record.ts';
import { VERIFICATION } from '../reserved.ts';
import type { SiteId } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';
import type { Job, Side, Totals } from './job.ts';

/** What one side had that the other lacked. `counted`: records of that side; absent until the side has ended. */
export type SideResult = Totals & { readonly counted?: number };

export interface Verification {
  readonly job: Job;
  readonly from?: SideResult;
  readonly to?: SideResult;
  /** Epoch milliseconds at which both sides had ended; absent until then. */
  readonly endedAtMs?: number;
  /** When the last comparison began that found no difference, epoch milliseconds. */
  readonly lastCleanAtMs?: number;
}

/** That of one entity is another result: it says nothing about all records. */
export function verificationKey({
  from,
  to,
  of,
}: {
  readonly from: SiteId;
  readonly to: SiteId;
  readonly of?: string | undefined;
}): string {
  return `${VERIFICATION}:${from}.${to}${of === undefined ? '' : `.${of}`}`;
}

/** The comparison that a record tells of; undefined when there was none, or the record holds no result. */
export function verificationOf(record: StoredRecord | undefined): Verification | undefined {
  if (record === undefined) return undefined;
  const values = plainValues(record.state);
  const job: unknown = values['job'];
  const isJob =
    typeof job === 'object' && job !== null && 'id' in job && 'atMs' in job && typeof job.atMs === 'number';
  return isJob ? (values as unknown as Verification) : undefined;
}

export function* noteBegin(site: Site, job: Job): Protocol<void> {
  yield* note(site, job, 'begin', () => ({ job: { ...job }, from: null, to: null, endedAtMs: null }));
}

/** How far a side has come. */
export function* noteProgress(
  site: Site,
  job: Job,
  sides: Readonly<Partial<Record<Side, Totals>>>,
): Protocol<void> {
  const [[side, totals] = ['from', undefined]] = Object.entries(sides);
  if (totals === undefined) return;
  yield* note(site, job, `${side}.${totals.checked}.${totals.differing}`, () => ({ [side]: asJson(totals) }));
}

/** The result of a side. With the second one the comparison has ended. */
export function* noteEnd(site: Site, job: Job, side: Side, result: Required<SideResult>): Protocol<void> {
  yield* note(site, job, `${side}.end`, (held) => {
    const other = held?.[side === 'from' ? 'to' : 'from'];
    const changes = { [side]: asJson(result) };
    if (other?.counted === undefined) return changes;
    const isClean = other.differing + result.differing === 0;
    return { ...changes, endedAtMs: site.now(), ...(isClean && { lastCleanAtMs: job.atMs }) };
  });
}

/** A step of an earlier comparison than the one that is kept changes nothing. */
function* note(
  site: Site,
  job: Job,
  step: string,
  decide: (held: Verification | undefined) => Readonly<Record<string, Json>>,
): Protocol<void> {
  const key = verificationKey(job);
  try {
    yield* localWrite(site, {
      key,
      operationId: `${job.id}.${step}`,
      decide: (current) => {
        const held = verificationOf(current);
        return held !== undefined && held.job.id !== job.id && step !== 'begin' ? undefined : decide(held);
      },
    });
  } catch (error) {
    if (!isPermanent(error)) throw error;
    yield* noteUnusable(site, 'compare', new Map([[key, error]]));
  }
}

/** The result of a comparison is kept everywhere: what is not does not count among its examples. */
export function openExamples(site: Site, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => !isConfined(site, { key }));
}

/** Takes out of a result of this site what every site kept when it was found, and some sites only keep by now. */
export function* forgetExamples(site: Site, key: string): Protocol<void> {
  const changes = (record: StoredRecord | undefined): Readonly<Record<string, Json>> => {
    const held = verificationOf(record);
    return Object.fromEntries(
      (['from', 'to'] as const).flatMap((side) => {
        const result = held?.[side];
        const examples = openExamples(site, result?.examples ?? []);
        const isOpen = result === undefined || examples.length === result.examples.length;
        return isOpen ? [] : [[side, asJson({ ...result, examples })]];
      }),
    );
  };
  const hasNames = (record: StoredRecord | undefined): boolean => Object.keys(changes(record)).length > 0;
  if (!hasNames((yield* get(key))?.record)) return;
  yield* localWrite(site, {
    key,
    operationId: `open-${site.now()}`,
    decide: (record) => (hasNames(record) ? changes(record) : undefined),
  });
}

function asJson(totals: SideResult): Json {
  return { ...totals, examples: [...totals.examples] };
}
