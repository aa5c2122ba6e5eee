/**
 * Keeping the row of a record: what every site does, where it has a database, for each state that it comes to hold.
 *
 * Invariant: the row is made of the record as it then is, not of what woke the reaction; and the condition names the state, so
 * a newer one is a new reason. It is never given up for a database that is away: it waits in the record (`lasting`).
 */
import { get } from '@tandem-clouds/replication/protocol';
import type { Condition } from '@tandem-clouds/replication/reactions/condition';
import type { OutsideEffect, StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import { newestStamp, type RecordState, type StoredRecord } from '@tandem-clouds/replication/record';
import { stampMs, stampSite } from '@tandem-clouds/replication/stamp';
import { vectorName } from '@tandem-clouds/replication/vector';

/** The reaction, and the service that its step asks. */
export const SQL = 'sql';

export interface SqlCall {
  readonly record: StoredRecord;
}

/** Holds of every state. @param digest Names a text. @param fill Raised to have what is written written anew. */
export function sqlCondition(
  key: string,
  state: RecordState,
  { digest, fill }: { readonly digest: (text: string) => string; readonly fill: number },
): Condition {
  const newest = newestStamp(state) ?? '';
  return {
    reaction: SQL,
    effectId: `${SQL}-${digest(JSON.stringify([key, vectorName(state.vector), state.incarnation ?? 0, fill]))}`,
    site: 'every',
    origin: stampSite(newest),
    madeMs: stampMs(newest),
    canLookUp: true,
    lasting: true,
  };
}

export function* projectRecord(key: string): StepsProtocol<undefined> {
  const record = (yield* get(key))?.record;
  // Collected meanwhile: its row says that it is deleted already, or nobody has ever seen it here.
  if (record === undefined) return undefined;
  yield { op: 'outside', service: SQL, call: { record } satisfies SqlCall } satisfies OutsideEffect;
  return undefined;
}
