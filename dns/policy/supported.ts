/**
 * Which live records a policy can say. The question is put to the policy itself: a record is supported when the policy
 * that `dump` would write of it is valid, and asks the provider for exactly that record.
 *
 * Invariant: the policy that `dump` writes of what is left plans to nothing, and what is not left is never deleted.
 */
import { canonical, keyOf, type RoutedRecord, type ZoneRecord } from '@tandem-clouds/zone/model';
import type { Foreign, LiveZone, Provider } from '../provider.ts';
import { refusals } from '../refusals.ts';
import { documentOf, isNote, type Source } from './dump.ts';
import { partsOf } from './json-pointer.ts';
import type { Mistake } from './parse.ts';
import type { Policy } from './policy.ts';
import { checkPolicy } from './read-policy.ts';
import { recordsOf } from './records.ts';

/** The provider of a zone, as far as it is asked here. */
type Holder = Pick<Provider, 'capabilities' | 'name' | 'prepare' | 'zone'>;

/** Moves the records that no policy can say to those that are left alone, each with its reason. */
export function supported(live: LiveZone, holder: Holder, provider: Source['provider']): LiveZone {
  const source: Source = { zone: holder.zone, provider };
  const notes = live.records.filter((record) => isNote(record, source.zone));
  const unsupported: Foreign[] = [];
  let left = live.records.filter((record) => !notes.includes(record));
  for (let reasons: Reasons; (reasons = reasonsIn(left, source, holder)).size > 0;) {
    for (const [record, reason] of reasons) {
      unsupported.push({ name: record.name, type: record.type, reason, record });
    }
    left = left.filter((record) => !reasons.has(record));
  }
  if (unsupported.length === 0) return live;
  const kept = new Set([...notes, ...left]);
  return {
    ...live,
    records: live.records.filter((record) => kept.has(record)),
    foreign: [...live.foreign, ...unsupported],
  };
}

type Reasons = ReadonlyMap<ZoneRecord, string>;

/** Of some that cannot be said; when it is none, all can. */
function reasonsIn(records: readonly ZoneRecord[], source: Source, holder: Holder): Reasons {
  if (records.length === 0) return new Map();
  const { value, mistakes } = checkPolicy(documentOf(records, source));
  if (mistakes.length > 0) return ofMistakes(mistakes, records);
  const wanted = recordsOf(value as Policy);
  const refused = [...refusals(wanted, holder), ...holder.prepare(wanted).refusals];
  if (refused.length > 0) return ofRefusals(refused, records);
  return ofDifferences(holder.prepare(wanted).records, records);
}

/** A mistake names an entry of the policy by its place, or a site that several entries share. */
function ofMistakes(mistakes: readonly Mistake[], records: readonly ZoneRecord[]): Reasons {
  const routed = records.filter((record): record is RoutedRecord => record.kind === 'routed');
  const plain = records.filter(({ kind }) => kind === 'plain');
  return new Map(
    mistakes.flatMap(({ pointer, detail }): [ZoneRecord, string][] => {
      const [list, place = ''] = partsOf(pointer);
      const found =
        list === 'names'
          ? [routed[Number(place)]]
          : list === 'records'
            ? [plain[Number(place)]]
            : routed.filter(({ targets, routes = [] }) =>
                [targets, ...routes.map((route) => route.targets)].flat().some(({ site }) => site === place),
              );
      const culprits = found.filter((record) => record !== undefined);
      // Nothing that names no entry can be the fault of a single one.
      return (culprits.length > 0 ? culprits : records).map((record) => [record, detail]);
    }),
  );
}

/** A refusal begins with the key of its record. */
function ofRefusals(refused: readonly string[], records: readonly ZoneRecord[]): Reasons {
  return new Map(
    refused.flatMap((text): [ZoneRecord, string][] => {
      const culprits = records.filter((record) => text.startsWith(`${keyOf(record)}: `));
      return culprits.length > 0
        ? culprits.map((record) => [record, text.slice(keyOf(record).length + 2)])
        : records.map((record) => [record, text]);
    }),
  );
}

const REPORTED_OTHERWISE = 'a policy can say something like it, but not exactly this';

/** What somebody has bent of ours is no difference here: it is for the plan to set right. */
function ofDifferences(wanted: readonly ZoneRecord[], records: readonly ZoneRecord[]): Reasons {
  const reported = new Map(wanted.map((record) => [keyOf(record), canonical(record)]));
  const straight = (record: ZoneRecord): unknown =>
    record.kind === 'plain' ? record : { ...record, deviations: undefined };
  return new Map(
    records.flatMap((record): [ZoneRecord, string][] =>
      reported.get(keyOf(record)) === canonical(straight(record)) ? [] : [[record, REPORTED_OTHERWISE]],
    ),
  );
}
