/**
 * The difference between a policy and a live zone. Pure but for `readAndPlan`.
 *
 * Invariant: a plan names exactly what `apply` does, and its hash names the plan: the same changes from the same state
 * have the same hash, anything else has another one.
 */
import { createHash } from 'node:crypto';
import { canonical, type Change, keyOf, type ZoneRecord } from '@tandem-clouds/zone/model';
import { RefusedError } from '../errors.ts';
import { incidentsName } from '../incidents.ts';
import {
  isOverridesNote,
  overridden,
  type Overrides,
  overridesIn,
  overridesName,
  overridesRecord,
} from '../overrides.ts';
import type { Policy } from '../policy/policy.ts';
import { recordsOf, relative, sorted } from '../policy/records.ts';
import { matchesName } from '../policy/unmanaged.ts';
import type { Foreign, LiveZone, Provider } from '../provider.ts';
import { refusals } from '../refusals.ts';

export interface Plan {
  readonly zone: string;
  readonly provider: string;
  /** Sorted by name, then type. */
  readonly changes: readonly Change[];
  /** What `apply` tidies up besides. */
  readonly leftovers: readonly string[];
  /** Where traffic stands beside the policy; the plan keeps it there. */
  readonly overrides: Overrides;
  /** Live records that are not touched, as no policy can say them. */
  readonly foreign: readonly Foreign[];
  /** How many records the zone has now, of those that are looked after here. */
  readonly liveRecords: number;
  /** SHA-256 of what would be done. */
  readonly hash: string;
}

/** Asks the provider, and compares. @throws RefusedError when the provider does not support the policy. */
export async function readAndPlan(policy: Policy, provider: Provider, overrides?: Overrides): Promise<Plan> {
  return makePlan(policy, provider, await provider.read(), overrides);
}

/** From the live zone to the policy with these overrides; without them, with those that the zone says. */
export function makePlan(policy: Policy, provider: Provider, live: LiveZone, overrides?: Overrides): Plan {
  const { zone } = policy;
  const wanted = overrides ?? overridesIn(live.records, zone);
  const target = [...desired(policy, provider, wanted), ...noteOf(wanted, live, zone)];
  const { records, foreign } = withWanted(live, target);
  const present = records.filter(
    (record) =>
      !(record.name === incidentsName(zone) && record.type === 'TXT') &&
      (record.name === overridesName(zone) || !isUnmanaged(relative(record.name, zone), policy)),
  );
  refuseForeign(target, foreign, live.records);
  const changes = difference(present, target);
  const leftovers = [...live.leftovers].sort();
  const own = (record: ZoneRecord): boolean => record.name === overridesName(zone);
  return {
    zone,
    provider: provider.name,
    changes,
    leftovers,
    overrides: wanted,
    foreign,
    liveRecords: present.filter((record) => !own(record)).length,
    hash: hashOf({ zone, provider: provider.name, changes, leftovers }),
  };
}

export function isEmpty({ changes, leftovers }: Plan): boolean {
  return changes.length === 0 && leftovers.length === 0;
}

/** A record that no policy can say is left alone, unless the policy wants its place: then it is what changes. */
function withWanted(
  { records, foreign }: LiveZone,
  target: readonly ZoneRecord[],
): Pick<LiveZone, 'foreign' | 'records'> {
  const wanted = new Set(target.map(keyOf));
  const present = new Set(records.map(keyOf));
  const claimed = foreign.filter(
    ({ record }) => record !== undefined && wanted.has(keyOf(record)) && !present.has(keyOf(record)),
  );
  return {
    records: [...records, ...claimed.flatMap(({ record }) => record ?? [])],
    foreign: foreign.filter((one) => !claimed.includes(one)),
  };
}

/** The policy as the provider would hold it. */
function desired(policy: Policy, provider: Provider, overrides: Overrides): readonly ZoneRecord[] {
  const records = recordsOf(policy);
  const { records: prepared, refusals: own } = provider.prepare(records);
  const refused = [...refusals(records, provider), ...own];
  if (refused.length > 0) throw new RefusedError(refused.join('\n'));
  return prepared.map((record) => overridden(record, overrides));
}

/** What the zone says of where traffic stands; a note that says so already stays as it is. */
function noteOf(wanted: Overrides, { records }: LiveZone, zone: string): readonly ZoneRecord[] {
  const text = (overrides: Overrides): string =>
    canonical([...overrides].sort(([a], [b]) => (a < b ? -1 : 1)));
  const note = records.find((record) => isOverridesNote(record, zone));
  return note !== undefined && text(overridesIn(records, zone)) === text(wanted)
    ? [note]
    : overridesRecord(wanted, zone);
}

function difference(before: readonly ZoneRecord[], after: readonly ZoneRecord[]): readonly Change[] {
  const old = new Map(before.map((record) => [keyOf(record), record]));
  const wanted = new Map(after.map((record) => [keyOf(record), record]));
  const all = sorted([...before, ...after.filter((record) => !old.has(keyOf(record)))]);
  return all.flatMap((record) => {
    const [was, is] = [old.get(keyOf(record)), wanted.get(keyOf(record))];
    if (was !== undefined && is !== undefined && canonical(was) === canonical(is)) return [];
    return [{ ...(was && { before: was }), ...(is && { after: is }) }];
  });
}

/** @throws RefusedError when something that we cannot read is where the policy wants a record. */
function refuseForeign(
  wanted: readonly ZoneRecord[],
  foreign: readonly Foreign[],
  live: readonly ZoneRecord[],
): void {
  const readable = new Set(live.map(keyOf));
  const keys = new Set(wanted.map(keyOf).filter((key) => !readable.has(key)));
  const clashes = foreign.filter(
    ({ name, type, record, alsoTypes = [] }) =>
      record === undefined && [type, ...alsoTypes].some((one) => keys.has(`${name} ${one}`)),
  );
  if (clashes.length === 0) return;
  throw new RefusedError(
    clashes
      .map(({ name, type, reason }) => `${name} ${type} is there in a form that no policy can say: ${reason}`)
      .join('\n'),
  );
}

function isUnmanaged(name: string, { unmanaged = [] }: Policy): boolean {
  return unmanaged.some((pattern) => matchesName(pattern, name));
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}
