/**
 * Keeping the row of a record: what every site does, where it has a database, for each state that it comes to hold.
 *
 * Invariant: the row is made of the record as it then is, not of what woke the reaction; and the condition names the state
 * (`site-condition.ts`), so a newer one is a new reason. It is never given up for a database that is away: it waits in the
 * record (`lasting`).
 */
import { get } from '@tandem-clouds/replication/protocol';
import type { OutsideEffect, StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import type { StoredRecord } from '@tandem-clouds/replication/record';

/** The reaction, and the service that its step asks. */
export const SQL = 'sql';

export interface SqlCall {
  readonly record: StoredRecord;
}

export function* projectRecord(key: string): StepsProtocol<undefined> {
  const record = (yield* get(key))?.record;
  // Collected meanwhile: its row says that it is deleted already, or nobody has ever seen it here.
  if (record === undefined) return undefined;
  yield { op: 'outside', service: SQL, call: { record } satisfies SqlCall } satisfies OutsideEffect;
  return undefined;
}
