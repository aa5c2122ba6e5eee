/** A backlog: records that one site wrote while its peer was away, and what the budget of a store needs for them. */
import { queryCharge, readCharge, writeCharge } from '@tandem-clouds/emulators/cosmos/charges';
import { toDocument } from '../../../src/shared/adapters/azure/document.ts';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';

/** Of payload: 95 % of the keys, 5 %, and one in a thousand. */
const SIZES = [
  { characters: 700, isOf: () => true },
  { characters: 9_500, isOf: (n: number) => n % 20 === 1 },
  { characters: 99_000, isOf: (n: number) => n % 1_000 === 2 },
] as const;

/** How long the peer was away. */
const AWAY_MS = 3_600_000;

export interface BacklogOptions {
  readonly site: string;
  readonly peer: string;
  readonly keys: number;
  readonly nowMs: number;
}

/** The n-th record: new, with the marker of the peer, written at its time of the hour. */
export function backlogRecord(n: number, { site, peer, keys, nowMs }: BacklogOptions): StoredRecord {
  const sinceMs = Math.round(nowMs - AWAY_MS + (n * (AWAY_MS - 60_000)) / keys);
  const stamp = encodeStamp(sinceMs, n % 1_000, site);
  const { characters } = SIZES.findLast(({ isOf }) => isOf(n)) ?? SIZES[0];
  return {
    key: `item:backlog-${site}-${n}`,
    state: {
      fields: {
        createdAt: [stamp, new Date(sinceMs).toISOString()],
        data: [stamp, { kind: 'bench', filling: 'x'.repeat(characters) }],
      },
      vector: { [site]: stamp },
    },
    version: stamp,
    pending: { [peer]: stamp },
    pendingSince: sinceMs,
    operations: [String(n)],
  };
}

/**
 * Request units that Cosmos DB cannot do without for one record, by the emulator's own rules: at the site that receives it
 * one creation; at the site that wrote it one read, and the patch that removes its marker.
 */
export function unitsOf(record: StoredRecord, role: 'receives' | 'wrote'): number {
  const bytes = Buffer.byteLength(JSON.stringify(toDocument(record)));
  return role === 'receives' ? writeCharge(bytes) : readCharge(bytes) + writeCharge(bytes, bytes);
}

/** And for finding it: its share of a page of the index. */
export function unitsOfIndex(keys: number, pageSize: number): number {
  return (keys / pageSize) * queryCharge(pageSize, pageSize * 60);
}
