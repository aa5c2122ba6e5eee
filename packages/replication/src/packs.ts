/**
 * Packs: the events of a backlog, as many in one message as fit, through the peer's queue of comparisons.
 *
 * So a backlog stands in no live write's way: the queue that live events go through stays as short as it was, a
 * message costs a broker one of its credits whatever it holds, and the function that takes packs takes a few at a time.
 *
 * Invariant: a pack that the peer's queue accepted is as durable there as its events would be one by one. Whatever of it
 * cannot be applied is put into the site's own inbound queue, message by message, before the pack is done: there it is
 * tried, and dead-lettered with its reason, like any other.
 */
import type { Pack } from './anti-entropy/job.ts';
import { applyBatch, type ApplyReport } from './apply.ts';
import { packAttemptsMax, packBytesMax, packEventsMax } from './bounds.ts';
import { isRetryable } from './errors.ts';
import type { EventCheck } from './event.ts';
import { messageText } from './message.ts';
import type { Disposition, InboundMessage, OutboundMessage, SendResult } from './ports/queue.ts';
import { notify, type Protocol, send, type Site } from './protocol.ts';
import type { SiteId } from './stamp.ts';

/** Sends events packed; a pack that is refused for good is taken apart, so that only what is to blame stays behind. */
export function* sendPacked(
  site: Site,
  peer: SiteId,
  messages: readonly OutboundMessage[],
): Protocol<readonly SendResult[]> {
  const results: SendResult[] = [];
  const packs = packsOf(messages);
  const reported = yield* notify(
    peer,
    packs.map((pack, index) => ({ id: String(index), body: packText(site.site, pack) })),
  );
  const alone: Placed[] = [];
  packs.forEach((pack, position) => {
    const result = reported[position];
    for (const placed of pack) {
      if (result !== undefined && !isRetryable(result)) alone.push(placed);
      else results[placed.index] = result;
    }
  });
  if (alone.length > 0) {
    const singly = yield* send(
      peer,
      alone.map(({ message }, position) => ({ ...message, id: String(position) })),
    );
    alone.forEach(({ index }, position) => (results[index] = singly[position]));
  }
  return results;
}

interface Placed {
  readonly index: number;
  readonly message: OutboundMessage;
}

function packsOf(messages: readonly OutboundMessage[]): readonly (readonly Placed[])[] {
  const packs: Placed[][] = [];
  let room = 0;
  messages.forEach((message, index) => {
    const bytes = Buffer.byteLength(message.body);
    const last = packs.at(-1);
    if (last === undefined || last.length >= packEventsMax || bytes > room) {
      packs.push([{ index, message }]);
      room = packBytesMax - bytes;
    } else {
      last.push({ index, message });
      room -= bytes;
    }
  });
  return packs;
}

/** The bodies as they are: they hold nothing but what every queue carries (`message.ts`). */
function packText(from: SiteId, pack: readonly Placed[]): string {
  return `{"kind":"pack","from":${JSON.stringify(from)},"events":[${pack.map(({ message }) => message.body).join(',')}]}`;
}

/** What a site needs to take packs. */
export interface PackOptions {
  readonly check: EventCheck;
  /** Called with what was applied. */
  readonly applied: (report: ApplyReport) => void;
}

/** Applies a pack; what is left of it goes to the own inbound queue, at once or after it has been tried again. */
export function* takePack(
  site: Site,
  { events }: Pack,
  message: InboundMessage,
  { check, applied }: PackOptions,
): Protocol<Disposition> {
  const bodies = events.map((event) => messageText(event));
  const inbound = bodies.map((body, index) => ({
    id: `${message.id}.${index}`,
    body,
    attributes: {},
    attempts: 1,
  }));
  const report = yield* applyBatch(site, inbound, check);
  applied(report);
  const waits = report.dispositions.find((disposition) => disposition.kind === 'retry');
  if (waits !== undefined && message.attempts < packAttemptsMax) return waits;
  const left = inbound.filter((_, index) => report.dispositions[index]?.kind !== 'done');
  if (left.length === 0) return { kind: 'done' };
  const results = yield* send(
    site.site,
    left.map(({ body }, index) => ({ id: String(index), body })),
  );
  const refused = results.find((result) => result !== undefined);
  return refused === undefined ? { kind: 'done' } : { kind: 'retry', error: refused };
}
