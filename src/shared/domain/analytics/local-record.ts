/** Records of one site about itself: no marker, so no other site hears of them, and no comparison looks at them. */
import type { Json } from '@tandem-clouds/replication/json';
import type { Versioned } from '@tandem-clouds/replication/ports/store';
import { type Protocol, putMany, type Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { nextStamp } from '@tandem-clouds/replication/stamp';

export function localRecord(
  { site, now }: Site,
  { key, values, held }: { key: string; values: Readonly<Record<string, Json>>; held: Versioned | undefined },
): StoredRecord {
  const stamp = nextStamp({ site, wallMs: now(), after: held?.record.version });
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
  write: { key: string; values: Readonly<Record<string, Json>>; held: Versioned | undefined },
): Protocol<boolean> {
  const record = localRecord(site, write);
  const [result] = yield* putMany([{ record, expected: write.held?.revision }]);
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written';
}
