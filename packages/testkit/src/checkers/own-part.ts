/** What a site notes of its own reactions changes nothing else of the record: neither state nor markers. */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { Finding } from '../history/facts.ts';

const invariant = '16 reactions';

/** @param after Of the very same state. */
export function checkOwnPart(site: string, before: StoredRecord, after: StoredRecord): Finding[] {
  const marks = ({ pending, version, pendingSince, operations }: StoredRecord): string =>
    JSON.stringify([pending, version, pendingSince, operations]);
  if (marks(before) === marks(after)) return [];
  return [
    { invariant, key: after.key, detail: `${site} noted what it did, and changed the record beside it` },
  ];
}
