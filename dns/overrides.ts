/**
 * Where traffic stands beside the policy: sites that were drained, failed over or shifted. It is kept in the zone itself,
 * as a TXT record that is changed together with the answers, so that everybody who plans sees it and nobody's `apply`
 * brings traffic back to a lost site by accident. `restore` removes it.
 *
 * A site's percentage counts for every weighted name. With the other strategies a site is in (more than 0) or out.
 */
import type { PlainRecord, Sharing, Target, ZoneRecord } from '@tandem-clouds/zone/model';

/** Site → percent of the traffic of each weighted name. */
export type Overrides = ReadonlyMap<string, number>;

const NAME = '_tandem-traffic';
const VERSION = 'tandem1';
/** Nobody but planners reads it. */
const TTL_SECONDS = 60;

export function overridesName(zone: string): string {
  return `${NAME}.${zone}`;
}

/** What the zone says; a text that is not ours counts as none. */
export function overridesIn(records: readonly ZoneRecord[], zone: string): Overrides {
  const record = records.find((one) => isOverridesNote(one, zone));
  const [, ...pairs] = record?.kind === 'plain' ? (record.values[0] ?? '').split(' ') : [];
  return new Map(
    pairs.flatMap((pair): [string, number][] => {
      const { site, percent } = /^(?<site>[^=]+)=(?<percent>\d{1,3})$/.exec(pair)?.groups ?? {};
      return site === undefined ? [] : [[site, Math.min(Number(percent), 100)]];
    }),
  );
}

/** Whether a record is our note of where traffic stands; another text at its name is somebody else's. */
export function isOverridesNote(record: ZoneRecord, zone: string): boolean {
  return (
    record.kind === 'plain' &&
    record.type === 'TXT' &&
    record.name === overridesName(zone) &&
    record.values.length === 1 &&
    record.values[0]?.split(' ')[0] === VERSION
  );
}

/** None: no record. */
export function overridesRecord(overrides: Overrides, zone: string): readonly PlainRecord[] {
  if (overrides.size === 0) return [];
  const pairs = [...overrides]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([site, percent]) => `${site}=${percent}`);
  return [
    {
      kind: 'plain',
      name: overridesName(zone),
      type: 'TXT',
      ttlSeconds: TTL_SECONDS,
      values: [[VERSION, ...pairs].join(' ')],
    },
  ];
}

/** The policy's record with the traffic where it stands. Without any site left it has no targets. */
export function overridden(record: ZoneRecord, overrides: Overrides): ZoneRecord {
  if (record.kind === 'plain') return record;
  const routes = record.routes?.map((route) => shared(route, overrides));
  return { ...shared(record, overrides), ...(routes && { routes }) };
}

function shared<S extends Sharing>(sharing: S, overrides: Overrides): S {
  if (!sharing.targets.some(({ site }) => overrides.has(site))) return sharing;
  return sharing.strategy === 'weighted' ? reweighted(sharing, overrides) : without(sharing, overrides);
}

function reweighted<S extends Sharing>(sharing: S, overrides: Overrides): S {
  const shares = sharesOf(sharing.targets, overrides);
  return {
    ...sharing,
    targets: sharing.targets.map((target, index) => ({ ...target, weight: shares[index] ?? 0 })),
  };
}

/**
 * Whole percents that add up to 100, or all 0 when nobody may have anything. What the sites with a percentage leave is
 * for the others by their weights; a site that stands by with weight 0 takes it when there is nobody else.
 */
export function sharesOf(targets: readonly Target[], overrides: Overrides): readonly number[] {
  const fixed = targets.map(({ site }) => overrides.get(site));
  const weights = targets.map(({ weight = 0 }, index) => (fixed[index] === undefined ? weight : 0));
  const free = sum(weights) > 0 ? weights : fixed.map((percent) => (percent === undefined ? 1 : 0));
  const left = Math.max(0, 100 - sum(fixed.map((percent) => percent ?? 0)));
  const perWeight = sum(free) === 0 ? 0 : left / sum(free);
  return wholePercents(fixed.map((percent, index) => percent ?? (free[index] ?? 0) * perWeight));
}

/** Scales to 100 and rounds by the largest remainder. */
function wholePercents(parts: readonly number[]): readonly number[] {
  const total = sum(parts);
  if (total === 0) return parts.map(() => 0);
  const exact = parts.map((part) => (part * 100) / total);
  const whole = exact.map(Math.floor);
  const rest = 100 - sum(whole);
  const remainder = (index: number): number => (exact[index] ?? 0) - (whole[index] ?? 0);
  const favoured = [...exact.keys()].sort((a, b) => remainder(b) - remainder(a) || a - b).slice(0, rest);
  return whole.map((part, index) => part + (favoured.includes(index) ? 1 : 0));
}

/** Leaves out the sites that are at 0. Whoever is left inherits the default of geolocation; the rest falls to it. */
function without<S extends Sharing>(sharing: S, overrides: Overrides): S {
  const targets = sharing.targets.filter(({ site }) => overrides.get(site) !== 0);
  if (sharing.strategy !== 'geolocation' || targets.some(({ location }) => location?.default === true)) {
    return { ...sharing, targets };
  }
  return {
    ...sharing,
    targets: targets.map((target, index) =>
      index === 0 && target.location
        ? { ...target, location: { ...target.location, default: true } }
        : target,
    ),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
