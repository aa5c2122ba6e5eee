/** Records of one site about itself: no marker, so no other site hears of them, and no comparison looks at them. */
import type { Json } from '@tandem-clouds/replication/json';
import type { Versioned } from '@tandem-clouds/replication/ports/store';
import { type Protocol, putMany, type Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { nextStamp, type SiteId } from '@tandem-clouds/replication/stamp';

export interface LocalRecord {
  readonly key: string;
  readonly site: SiteId;
  readonly nowMs: number;
  readonly values: Readonly<Record<string, Json>>;
  /** What it takes the place of. */
  readonly current: StoredRecord | undefined;
}

export function localRecord({ key, site, nowMs, values, current }: LocalRecord): StoredRecord {
  const stamp = nextStamp({ site, wallMs: nowMs, after: current?.version });
  return {
    key,
    state: {
      fields: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [stamp, value]])),
      vector: { [site]: stamp },
    },
    version: stamp,
    pending: {},
    operations: [],
  };
}

/** Puts a whole record in the place of what was read. @returns False when somebody else wrote first. @throws what the store failed with */
export function* putLocal(
  site: Site,
  { held, ...write }: Pick<LocalRecord, 'key' | 'values'> & { readonly held: Versioned | undefined },
): Protocol<boolean> {
  const record = localRecord({ ...write, site: site.site, nowMs: site.now(), current: held?.record });
  const [result] = yield* putMany([{ record, expected: held?.revision }]);
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written';
}
