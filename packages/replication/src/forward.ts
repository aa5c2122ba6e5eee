/**
 * Forward: from the site's own queue to every peer's inbound queue, then clear the markers.
 *
 * Invariant: a marker is cleared only after the peer's durable queue accepted that version or a newer one. The archive is sent
 * to as well, and holds up nobody: what it does not take is the sweeper's, by the marker that stands.
 */
import { ARCHIVE, receiversOf } from './archive.ts';
import { forwardAgeMaxMs, forwardAttemptsMax } from './bounds.ts';
import { dead, foreign, unreadable } from './dispositions.ts';
import { AppError, isPermanent, isRetryable, ThrottledError } from './errors.ts';
import { type EventCheck, eventVersion, parseEvent, stateOf } from './event.ts';
import type { FailedKeys } from './isolate.ts';
import { isCleared } from './markers.ts';
import { messageText } from './message.ts';
import { own } from './own.ts';
import type { Disposition, InboundMessage, OutboundMessage, SendResult } from './ports/queue.ts';
import type { ClearRequest } from './ports/store.ts';
import { clearPending, type Protocol, send, type Site } from './protocol.ts';
import type { SiteId, Stamp } from './stamp.ts';

/** One event on its way to some peers. */
export interface Crossing {
  readonly key: string;
  readonly message: OutboundMessage;
  /** Peer → the newest marker that goes once the peer has accepted the message. */
  readonly markers: Readonly<Record<SiteId, Stamp>>;
}

export interface CrossingResult {
  /** Peer → why it did not take the message. Empty: every peer has it. */
  readonly failed: Readonly<Record<SiteId, Error>>;
  /** Why the markers of those that took it can never be removed; absent when they are, or may yet be. */
  readonly uncleared?: Error;
}

export interface CrossOptions {
  /** How a batch gets to a peer; by default message by message into its inbound queue. */
  readonly sendTo?: (peer: SiteId, messages: readonly OutboundMessage[]) => Protocol<readonly SendResult[]>;
  /** Told that the store did not clear the markers because it throttles. */
  readonly throttled?: (error: ThrottledError) => void;
}

/**
 * Sends to each peer in one batch, then clears the markers of those that accepted. Outcomes in order.
 * A failure to clear is no failure to send: the sweeper would resend, and the peer would find nothing new.
 */
export function* cross(
  crossings: readonly Crossing[],
  { sendTo = send, throttled = () => undefined }: CrossOptions = {},
): Protocol<readonly CrossingResult[]> {
  const failed: Record<SiteId, Error>[] = crossings.map(() => ({}));
  const accepted: Record<SiteId, Stamp>[] = crossings.map(() => ({}));
  for (const peer of new Set(crossings.flatMap(({ markers }) => Object.keys(markers)))) {
    const indexes = crossings.flatMap(({ markers }, index) => (Object.hasOwn(markers, peer) ? [index] : []));
    const batch = indexes.flatMap((index) => crossings[index] ?? []);
    const results = yield* sendTo(
      peer,
      batch.map(({ message }, position) => ({ ...message, id: String(position) })),
    );
    batch.forEach(({ markers }, position) => {
      const index = indexes[position] ?? 0;
      const error = results[position];
      if (error === undefined) Object.assign(accepted[index] ?? {}, { [peer]: markers[peer] });
      else Object.assign(failed[index] ?? {}, { [peer]: error });
    });
  }
  const uncleared = yield* clear(crossings, accepted, throttled);
  return crossings.map(({ key }, index) => {
    const error = uncleared.get(key);
    return { failed: failed[index] ?? {}, ...(error !== undefined && { uncleared: error }) };
  });
}

/** Key → why its markers can never be removed. */
function* clear(
  crossings: readonly Crossing[],
  accepted: readonly Readonly<Record<SiteId, Stamp>>[],
  throttled: (error: ThrottledError) => void,
): Protocol<FailedKeys> {
  const byKey = new Map<string, Record<SiteId, Stamp>>();
  crossings.forEach(({ key }, index) => {
    const newest = byKey.get(key) ?? {};
    for (const [peer, version] of Object.entries(accepted[index] ?? {})) {
      const held = own(newest, peer);
      if (held === undefined || isCleared(held, version)) newest[peer] = version;
    }
    if (Object.keys(newest).length > 0) byKey.set(key, newest);
  });
  const requests: ClearRequest[] = [...byKey].map(([key, versions]) => ({ key, accepted: versions }));
  const failed = new Map<string, Error>();
  if (requests.length === 0) return failed;
  try {
    const results = yield* clearPending(requests);
    results.forEach((error, index) => {
      if (isPermanent(error)) failed.set(requests[index]?.key ?? '', error);
    });
    const busy = results.filter((error) => error instanceof ThrottledError);
    // One refusal, however many of the keys it befell.
    const [longest] = busy.sort((a, b) => b.retryAfterMs - a.retryAfterMs);
    if (longest !== undefined) throttled(longest);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error instanceof ThrottledError) throttled(error);
  }
  return failed;
}

/** Forwards a batch of the site's own queue. One disposition per message, in order. */
export function* forward(
  site: Site,
  messages: readonly InboundMessage[],
  check: EventCheck,
): Protocol<readonly Disposition[]> {
  const dispositions: Disposition[] = [];
  const crossings: { index: number; crossing: Crossing }[] = [];
  messages.forEach((message, index) => {
    dispositions[index] = { kind: 'done' };
    try {
      const event = parseEvent(message.body, check);
      if (event.source !== site.site) {
        dispositions[index] = foreign(`an event of ${event.source} in the outbound queue of ${site.site}`);
        return;
      }
      // The marker stands: the sweeper sends the record as it is now.
      if (site.now() - event.sent_at > forwardAgeMaxMs) return;
      // A release before may have published what by now is kept at fewer sites.
      const peers = receiversOf(site, { key: event.key, ...(site.keptAt && { state: stateOf(event) }) });
      if (peers.length === 0) return;
      crossings.push({
        index,
        crossing: {
          key: event.key,
          // The host may have parsed it and written it again, in another way than the peer's queue takes.
          message: { id: message.id, body: messageText(event) },
          markers: Object.fromEntries(peers.map((peer) => [peer, eventVersion(event)])),
        },
      });
    } catch (error) {
      dispositions[index] = unreadable(error);
    }
  });
  const results = yield* cross(crossings.map(({ crossing }) => crossing));
  crossings.forEach(({ index }, position) => {
    const { [ARCHIVE]: _, ...failed } = results[position]?.failed ?? {};
    if (Object.keys(failed).length > 0) dispositions[index] = afterFailure(failed, messages[index]);
  });
  return dispositions;
}

/**
 * Tried again for as long as any peer may yet take it. A peer that stays silent is then the sweeper's: the marker
 * names the key, and the queue need not hold it too. What is left is set aside when a peer can never take it.
 */
function afterFailure(failed: CrossingResult['failed'], message: InboundMessage | undefined): Disposition {
  const passing = Object.values(failed).find(isRetryable);
  if (passing !== undefined && (message?.attempts ?? 0) < forwardAttemptsMax) {
    return { kind: 'retry', error: passing };
  }
  const lasting = Object.values(failed).find((error) => !isRetryable(error));
  return lasting === undefined ? { kind: 'done' } : dead(lasting);
}
