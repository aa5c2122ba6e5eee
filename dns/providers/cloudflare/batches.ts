/**
 * Packs changes of DNS records into as few requests as the limit allows. Pure.
 *
 * A record keeps what the model does not say of it (comment, tags, settings): it is changed in place, and touched only when
 * something of it changes. It goes only when its name has fewer values than before.
 */
import type { RecordBatchParams, RecordResponse } from 'cloudflare/resources/dns/records';
import { type Change, keyOf, type PlainRecord } from '@tandem-clouds/zone/model';
import { keyOfRecord, type NewRecord, toPosts, valueOf } from './dns-records.ts';
import type { Raw } from './raw.ts';

/** Of the free plan: https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes */
const BATCH_MAX = 200;

export type RecordPatch = NonNullable<RecordBatchParams['patches']>[number];

export interface RecordChanges {
  readonly deletes: readonly string[];
  readonly patches: readonly RecordPatch[];
  readonly posts: readonly NewRecord[];
}

export interface RecordBatch extends RecordChanges {
  readonly changes: readonly Change[];
}

export const NO_CHANGES: RecordChanges = { deletes: [], patches: [], posts: [] };

/** The DNS records of these changes, in as few batches as the limit allows; a name is never split. */
export function packed(groups: readonly (readonly Change[])[], raw: Raw): readonly RecordBatch[] {
  const live = Map.groupBy(raw.records, keyOfRecord);
  const batches: RecordBatch[] = [];
  for (const group of groups) {
    const own = together(group.map((change) => changesOf(change, live)));
    const last = batches.at(-1);
    const both = last && together([last, own]);
    if (last && both && sizeOf(both) <= BATCH_MAX)
      batches.splice(-1, 1, { ...both, changes: [...last.changes, ...group] });
    else batches.push({ ...own, changes: group });
  }
  return batches;
}

function together(all: readonly RecordChanges[]): RecordChanges {
  return {
    deletes: all.flatMap(({ deletes }) => deletes),
    patches: all.flatMap(({ patches }) => patches),
    posts: all.flatMap(({ posts }) => posts),
  };
}

function sizeOf({ deletes, patches, posts }: RecordChanges): number {
  return deletes.length + patches.length + posts.length;
}

function changesOf(
  { before, after }: Change,
  live: ReadonlyMap<string, readonly RecordResponse[]>,
): RecordChanges {
  const plain = [before, after].find((record) => record?.kind === 'plain');
  const old = (plain && live.get(keyOf(plain))) ?? [];
  const wanted = after?.kind === 'plain' ? after : undefined;
  return wanted === undefined ? { ...NO_CHANGES, deletes: old.map(({ id }) => id) } : toWanted(old, wanted);
}

function toWanted(old: readonly RecordResponse[], wanted: PlainRecord): RecordChanges {
  const posts = new Map(toPosts(wanted).map((post, index) => [wanted.values[index], post]));
  const isKept = (record: RecordResponse): boolean => posts.has(valueOf(record));
  const present = new Set(old.map(valueOf));
  const added = [...posts].flatMap(([value, post]) => (present.has(value) ? [] : [post]));
  const removed = old.filter((record) => !isKept(record));
  const changed = removed.slice(0, added.length);
  return {
    deletes: removed.slice(added.length).map(({ id }) => id),
    patches: [
      ...old.flatMap((record) => {
        const post = posts.get(valueOf(record));
        return post === undefined || isSettled(record, post)
          ? []
          : [{ ...post, ...contentOf(record), id: record.id }];
      }),
      ...changed.flatMap(({ id }, index) => {
        const post = added[index];
        return post === undefined ? [] : [{ ...post, id }];
      }),
    ] as RecordPatch[],
    posts: added.slice(changed.length),
  };
}

function isSettled({ ttl, proxied = false }: RecordResponse, post: NewRecord): boolean {
  return ttl === post.ttl && proxied === (post.proxied ?? false);
}

/** As it is written now: a value that stays is not written in another way. */
function contentOf(record: RecordResponse): object {
  if (record.type === 'SRV' || record.type === 'CAA') return { data: record.data };
  return { content: record.content };
}
