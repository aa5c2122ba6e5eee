/**
 * A record that a site holds otherwise than its peers under the same name, as when a release merged by another rule: a part
 * that another site wrote is not there. Only its contents show it.
 */
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import { isOwnReport } from '../history/facts.ts';
import type { World } from './world.ts';

/** Takes a register or a counter slot of another site out of a record of a random site. */
export function driftApart(world: World): void {
  const { random } = world;
  const site = random.pick(world.sites);
  const candidates = [...site.store.records.values()].flatMap((record) =>
    isOwnReport(record.key) ? [] : foreignParts(record.state, site.name).map((part) => ({ record, part })),
  );
  if (candidates.length === 0) return;
  const { record, part } = random.pick(candidates);
  site.store.tamper({ ...record, state: without(record.state, part) });
  world.drifted.add(record.key);
  world.note(record.key, site.name, () => `drifts apart: ${part.field} is lost`, { tone: 'fault' });
}

interface Part {
  readonly section: 'fields' | 'counters';
  readonly field: string;
}

function foreignParts({ fields, counters }: StoredRecord['state'], site: string): readonly Part[] {
  const isForeign = (stamp: string): boolean => !stamp.endsWith(`.${site}`);
  return [
    ...Object.entries(fields).flatMap(([field, [stamp]]) =>
      isForeign(stamp) ? [{ section: 'fields' as const, field }] : [],
    ),
    ...Object.entries(counters ?? {}).flatMap(([field, slots]) =>
      Object.values(slots).every(([stamp]) => isForeign(stamp))
        ? [{ section: 'counters' as const, field }]
        : [],
    ),
  ];
}

function without(state: RecordState, { section, field }: Part): RecordState {
  const { [field]: _, ...rest } = state[section] ?? {};
  return { ...state, [section]: rest };
}
