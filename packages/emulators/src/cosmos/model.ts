/** The shapes that the emulator keeps: definitions, partition keys and items. */

/** A JSON object as a client sent it. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One value per path of the partition key definition; `{}` stands for "the property is absent". */
export type PartitionKey = readonly unknown[];

export interface CompositePath {
  readonly path: string;
  readonly order?: 'ascending' | 'descending';
}

export interface IndexingPolicy {
  readonly includedPaths?: readonly { readonly path: string }[];
  readonly compositeIndexes?: readonly (readonly CompositePath[])[];
  readonly [other: string]: unknown;
}

export interface ContainerDefinition {
  readonly id: string;
  readonly partitionKey: {
    readonly paths: readonly string[];
    readonly kind?: string;
    readonly version?: number;
  };
  readonly indexingPolicy: IndexingPolicy;
  /** Seconds until an item expires; -1 for never unless the item says so; absent turns expiry off. */
  readonly defaultTtl?: number;
  readonly uniqueKeyPolicy?: { readonly uniqueKeys: readonly { readonly paths: readonly string[] }[] };
  readonly [other: string]: unknown;
}

/** An item with its system properties, as clients read it. */
export interface ItemDocument extends JsonObject {
  readonly id: string;
  readonly _rid: string;
  readonly _self: string;
  readonly _etag: string;
  /** Seconds since the epoch of the last write. */
  readonly _ts: number;
}

/** An item where it is kept. A write makes a new one; nothing changes inside an old one. */
export interface StoredItem {
  readonly doc: ItemDocument;
  /** See `partitionId`. */
  readonly partition: string;
  /** Log sequence number of the write that made this version; orders the change feed. */
  readonly lsn: number;
  /** Position in creation order, kept by replacements; the tie-break of every ordering. */
  readonly number: number;
  /** UTF-8 size of the document as JSON, in bytes. */
  readonly bytes: number;
}

/** A partition key as a map key: its JSON text. */
export function partitionId(key: PartitionKey): string {
  return JSON.stringify(key);
}

/** The value at a `/path/like/this`, or undefined. */
export function valueAt(doc: unknown, path: string): unknown {
  let value = doc;
  for (const segment of path.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as JsonObject)[segment.replace(/^"(.*)"$/, '$1')];
  }
  return value;
}

/** The partition key that a document belongs to. */
export function partitionKeyOf(doc: JsonObject, definition: ContainerDefinition): PartitionKey {
  return definition.partitionKey.paths.map((path) => {
    const value = valueAt(doc, path);
    return value === undefined ? {} : value;
  });
}

/** Resource ids: big-endian numbers in base64, with `-` where base64 has `/`, so that they fit in a URL. */
function rid(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('/', '-');
}

/** Four bytes: the id of a database inside the account. */
export function databaseRid(number: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return rid(bytes);
}

/** Eight bytes, which the SDK checks before it keeps a session token: the database's four and the container's. */
export function containerRid(databaseNumber: number, containerNumber: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(databaseNumber);
  bytes.writeUInt32BE(containerNumber, 4);
  return rid(bytes);
}

/** Sixteen bytes: the container's eight and the item's number, little-endian as the SDK compares it. */
export function itemRid(ownerRid: string, itemNumber: number): string {
  const bytes = Buffer.alloc(16);
  Buffer.from(ownerRid.replaceAll('-', '/'), 'base64').copy(bytes);
  bytes.writeBigUInt64LE(BigInt(itemNumber), 8);
  return rid(bytes);
}
