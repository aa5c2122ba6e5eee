/** A backlog: records that one site wrote while its peer was away, and what the budget of a store needs for them. */
import { queryCharge, readCharge, writeCharge } from '@tandem-clouds/emulators/cosmos/charges';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { toDocument } from '../../../src/shared/adapters/azure/document.ts';
import type { CloudName } from '../service-bundles.ts';

/** Of payload: 95 % of the keys, 5 %, and one in a thousand. */
const SIZES = [
  { characters: 700, isOf: () => true },
  { characters: 9_500, isOf: (n: number) => n % 20 === 1 },
  { characters: 99_000, isOf: (n: number) => n % 1_000 === 2 },
] as const;

const INDEX_ROW_BYTES = 60;

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

/** Of what Cosmos DB adds to a document (`_rid`, `_self`, `_etag`, `_attachments`, `_ts`), and charges for. */
const SYSTEM_BYTES = 230;

/** What Cosmos DB charges a record for. */
export function chargedBytes(record: StoredRecord): number {
  return Buffer.byteLength(JSON.stringify(toDocument(record, []))) + SYSTEM_BYTES;
}

/**
 * Request units that Cosmos DB cannot do without for one record, by the emulator's own rules: at the site that receives it
 * one creation; at the site that wrote it one read, and the patch that removes its marker.
 */
function unitsOf(record: StoredRecord, role: 'receives' | 'wrote'): number {
  const { key, state } = record;
  if (role === 'receives') return writeCharge(chargedBytes({ key, state, pending: {}, operations: [] }));
  const { pendingSince: _, ...rest } = record;
  const bytes = chargedBytes(record);
  return readCharge(bytes) + writeCharge(chargedBytes({ ...rest, pending: {} }), bytes);
}

/** Those of a whole backlog; where it is read, each page of the index is, too. */
export function backlogUnits({
  keys,
  from,
  pageSize,
}: {
  keys: number;
  from: CloudName;
  pageSize: number;
}): number {
  const [role, pages] = from === 'aws' ? (['receives', 0] as const) : (['wrote', keys / pageSize] as const);
  let units = pages * queryCharge(pageSize, pageSize * INDEX_ROW_BYTES);
  // The names have the lengths that those of the sites have.
  const options = { site: 'aws-us-east-1', peer: 'azure-eastus', keys, nowMs: AWAY_MS };
  for (let n = 0; n < keys; n += 1) units += unitsOf(backlogRecord(n, options), role);
  return units;
}
