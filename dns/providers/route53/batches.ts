/** Packs changes into as few requests as Route 53's limits allow. The changes of one name are never split. Pure. */
import type { Change as SetChange } from '@aws-sdk/client-route-53';
import type { Change } from '@tandem-clouds/zone/model';

/** Per ChangeResourceRecordSets: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html */
const RECORDS_MAX = 1_000;
const CHARACTERS_MAX = 32_000;

export interface Batch {
  readonly changes: readonly Change[];
  readonly sets: readonly SetChange[];
}

/** In the order of the changes; deletes of a name come before its creates, as a CNAME may give way to an address. */
export function batches(
  changes: readonly Change[],
  setsFor: (change: Change) => readonly SetChange[],
): readonly Batch[] {
  const groups = Map.groupBy(changes, ({ before, after }) => (before ?? after)?.name ?? '');
  const packed: { changes: Change[]; sets: SetChange[]; records: number; characters: number }[] = [];
  for (const group of groups.values()) {
    const sets = group.flatMap(setsFor).sort((a, b) => Number(isCreate(a)) - Number(isCreate(b)));
    const records = sum(sets.map(recordsIn));
    const characters = sum(sets.map(charactersIn));
    let last = packed.at(-1);
    if (!last || last.records + records > RECORDS_MAX || last.characters + characters > CHARACTERS_MAX) {
      last = { changes: [], sets: [], records: 0, characters: 0 };
      packed.push(last);
    }
    last.changes.push(...group);
    last.sets.push(...sets);
    last.records += records;
    last.characters += characters;
  }
  return packed;
}

function isCreate({ Action }: SetChange): boolean {
  return Action === 'CREATE';
}

function recordsIn({ ResourceRecordSet: set }: SetChange): number {
  return Math.max(1, set?.ResourceRecords?.length ?? 0);
}

function charactersIn({ ResourceRecordSet: set }: SetChange): number {
  return sum((set?.ResourceRecords ?? []).map(({ Value = '' }) => Value.length));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
