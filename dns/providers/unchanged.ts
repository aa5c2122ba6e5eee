import { canonical, type Change, keyOf, type ZoneRecord } from '@tandem-clouds/zone/model';
import { ProviderError } from '../errors.ts';

/** @throws ProviderError when a record is no longer what the plan was made from. */
export function refuseChanged(changes: readonly Change[], live: readonly ZoneRecord[]): void {
  const present = new Map(live.map((record) => [keyOf(record), canonical(record)]));
  for (const { before, after } of changes) {
    const record = before ?? after;
    if (record === undefined) continue;
    const key = keyOf(record);
    if (present.get(key) !== (before && canonical(before))) {
      throw new ProviderError('rejected', `${key} was changed by somebody else meanwhile; plan again`);
    }
  }
}
