/**
 * `Prefer: wait` (RFC 7240, section 4.3) on a read of one record: the answer may come later, and then says more.
 *
 * With `If-None-Match` it waits until the record is in another state than those; without it, where the entity has states that
 * the service itself leads on, until no field that the caller sees is in one of them, and for the record itself, which another
 * site may have made a moment ago. Otherwise there is nothing to wait for.
 *
 * Invariant: it never waits for longer than the function has, and what it answers is what a read at that moment answers.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { recordWaitMs, recordWaitReserveMs } from '../bounds.ts';
import type { Entity } from '../domain/entity.ts';
import type { EntityService } from '../domain/entity-service.ts';
import { isNotModified, namesStates } from './conditional.ts';
import { preference } from './prefer.ts';
import type { Caller, HttpRequest } from './route.ts';
import { seenStates } from './session.ts';

/** delta-seconds; what is none is ignored (section 2). */
const SECONDS = /^\d{1,9}$/;

/** Whole seconds that a request prefers to wait; undefined: it does not say, or not so that it can be read. */
export function waitSecondsOf(headers: HttpRequest['headers']): number | undefined {
  const value = preference(headers['prefer'], 'wait');
  return value !== undefined && SECONDS.test(value) ? Number(value) : undefined;
}

export interface WaitingRead {
  readonly entity: Entity;
  readonly records: EntityService;
  /** Undefined where nobody is asked who they are. */
  readonly reader: Caller | undefined;
}

/** The record, and the header that says for how long it might have waited. */
export async function readAsPreferred(
  id: string,
  request: HttpRequest,
  { entity, records, reader }: WaitingRead,
): Promise<{ readonly record: StoredRecord; readonly headers: Readonly<Record<string, string>> }> {
  const seen = seenStates(request);
  const wanted = waitSecondsOf(request.headers);
  const isAwaited = awaited(request, { entity, records, reader });
  if (wanted === undefined || isAwaited === undefined)
    return { record: await records.read(id, seen), headers: {} };
  const bounded = (): number => Math.min(wanted, secondsLeft(request));
  // Known once it matters: a session may have waited before.
  let seconds = bounded();
  const withinMs = (): number => (seconds = bounded()) * 1_000;
  // Whoever knows a state of it has read it.
  const mayArrive = request.headers['if-none-match'] === undefined;
  const record = await records.readUntil(id, seen, { isAwaited, mayArrive, withinMs });
  return { record, headers: seconds > 0 ? { 'preference-applied': `wait=${seconds}` } : {} };
}

function secondsLeft({ remainingMs }: HttpRequest): number {
  const leftMs = remainingMs === undefined ? recordWaitMs : remainingMs() - recordWaitReserveMs;
  return Math.floor(Math.max(0, Math.min(recordWaitMs, leftMs)) / 1_000);
}

/** What is waited for; undefined: nothing. */
function awaited(
  { headers }: HttpRequest,
  { entity, records, reader }: WaitingRead,
): ((record: StoredRecord) => boolean) | undefined {
  const known = headers['if-none-match'];
  if (known !== undefined)
    return namesStates(known) ? ({ state }) => !isNotModified(known, state) : undefined;
  const passing = Object.entries(entity.states).flatMap(([field, states]) =>
    states.passing === undefined ? [] : [{ field, states: states.passing }],
  );
  if (passing.length === 0) return undefined;
  return (record) => {
    // Of what a caller does not see, the time of an answer says nothing either.
    const shown = records.view(record, reader);
    return !passing.some(({ field, states }) => states.some((state) => state === shown[field]));
  };
}
