/** Packs changes of DNS records into as few requests as the limit allows. Pure. */
import { keyOf, type Change } from '../../model.ts';
import { toPosts, type NewRecord } from './dns-records.ts';
import type { Raw } from './raw.ts';

/** Of the free plan: https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes */
const BATCH_MAX = 200;
interface RecordBatch {
  readonly changes: Change[];
  readonly deletes: string[];
  readonly posts: NewRecord[];
}

/** The DNS records of these changes, in as few batches as the limit allows; a name is never split. */
export function packed(groups: readonly (readonly Change[])[], raw: Raw): readonly RecordBatch[] {
  const ids = Map.groupBy(raw.records, ({ name, type }) => `${name.toLowerCase()} ${type}`);
  const batches: RecordBatch[] = [];
  for (const group of groups) {
    const deletes = group.flatMap(({ before }) =>
      before?.kind === 'plain' ? (ids.get(keyOf(before)) ?? []).map(({ id }) => id) : [],
    );
    const posts = group.flatMap(({ after }) => (after?.kind === 'plain' ? toPosts(after) : []));
    let last = batches.at(-1);
    if (!last || last.deletes.length + last.posts.length + deletes.length + posts.length > BATCH_MAX) {
      last = { changes: [], deletes: [], posts: [] };
      batches.push(last);
    }
    last.changes.push(...group);
    last.deletes.push(...deletes);
    last.posts.push(...posts);
  }
  return batches;
}
