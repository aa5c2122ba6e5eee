/** Queue triggers: hand visible messages over in batches and settle each by what became of it. */
import type { Subjects } from '@tandem-clouds/replication/anti-entropy/erase';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { isRetryable, ThrottledError } from '@tandem-clouds/replication/errors';
import { forward } from '@tandem-clouds/replication/forward';
import type { Disposition, InboundMessage } from '@tandem-clouds/replication/ports/queue';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { againOf, attemptOf } from '../../../../src/shared/adapters/send-again.ts';
import { checkEvent } from '../../../../src/shared/validation/check-event.ts';
import { checkStep } from '../../../../src/shared/validation/check-step.ts';
import type { QueueKind } from '../history/facts.ts';
import { type Ending, invoke } from './invoke.ts';
import { paceOf } from './pace.ts';
import type { SimSite } from './sim-site.ts';
import { type Lease, type SiteQueue, VISIBILITY_MS } from './site-queue.ts';
import type { World } from './world.ts';

const BATCH_MAX = 10;
const DOZE_MS = 15_000;
/** With these a store or a queue says that one key is bad, which is no reason to end a comparison. */
const FOR_GOOD = new Set(['refused', 'too_large', 'unreadable']);

/** Takes visible messages and invokes what handles them. */
export function poll(world: World, site: SimSite, queue: SiteQueue): void {
  if (site.down || (site.pollsRefused > 0 && !site.likeAws)) {
    // One look at a time, however many messages wait: an outage may last for days.
    if (queue.messages.size === 0 || queue.dozing) return;
    queue.dozing = true;
    world.agenda.after(DOZE_MS * paceOf(world.drawnFaults).slowness, () => {
      queue.dozing = false;
      poll(world, site, queue);
    });
    return;
  }
  const leases = queue.receive(world.agenda.nowMs, 1 + world.random.int(BATCH_MAX));
  if (leases.length === 0) return;
  if (site.pollsRefused > 0) {
    for (const { message } of leases) message.failures.throttled += 1;
    world.wake(site, queue, VISIBILITY_MS);
    world.wake(site, queue, 0);
    return;
  }
  if (queue.kind === 'out') world.counts.forwarded += leases.length;
  world.wake(site, queue, VISIBILITY_MS);
  world.wake(site, queue, 0);
  const shuffled = world.random.shuffled(leases);
  // The events of a pack are applied as those of an inbound queue are, and judged so.
  const isPack = ({ message }: Lease): boolean => message.pack.length > 0;
  for (const batch of [shuffled.filter((lease) => !isPack(lease)), shuffled.filter(isPack)])
    if (batch.length > 0) run(world, site, queue, batch);
}

function run(world: World, site: SimSite, queue: SiteQueue, batch: readonly Lease[]): void {
  const messages = batch.map((lease, index) => inboundOf(lease, index));
  world.current = site.name;
  world.trace(`deliver ${queue.kind} ${messages.length}`, site, '');
  invoke<readonly Disposition[]>(world, site, {
    kind: batch.every(({ message }) => message.pack.length > 0) ? 'apply' : INVOCATION[queue.kind],
    protocol: (own) =>
      handling(queue.kind, own, {
        messages: site.older ? messages.map(asRead) : messages,
        subjects: world.subjects,
      }),
    ended: (ending) => settle(world, site, queue, batch, ending),
  });
}

/** As the adapters read it. What SQS says of receives is there too: nobody may take it for attempts. */
function inboundOf({ message, receives }: Lease, index: number): InboundMessage {
  const attributes = { ...message.attributes, ApproximateReceiveCount: String(receives) };
  return { id: `m${index}`, body: message.body, attributes, attempts: attemptOf(attributes) };
}

/** What the release before incarnations reads of a message. */
function asRead(message: InboundMessage): InboundMessage {
  return { ...message, body: message.body.replace(/,"incarnation":\d+/, '') };
}

const INVOCATION = { out: 'forward', in: 'apply', verify: 'verify' } as const;

function* handling(
  kind: QueueKind,
  own: Site,
  {
    messages,
    subjects,
  }: { readonly messages: readonly InboundMessage[]; readonly subjects: Subjects | undefined },
): Protocol<readonly Disposition[]> {
  switch (kind) {
    case 'out':
      return yield* forward(own, messages, checkEvent);
    case 'in':
      return (yield* applyBatch(own, messages, checkEvent)).dispositions;
    case 'verify':
      return yield* verify(own, messages, checkStep, {
        packs: { check: checkEvent, applied: () => undefined },
        subjects,
      });
  }
}

function settle(
  world: World,
  site: SimSite,
  queue: SiteQueue,
  batch: readonly Lease[],
  ending: Ending<readonly Disposition[]>,
): void {
  if (ending.kind !== 'returned') for (const { message } of batch) message.failures.others += 1;
  if (ending.kind === 'died') return;
  if (ending.kind === 'threw') {
    if (!isRetryable(ending.error))
      world.find([{ invariant: 'no defects', detail: `${queue.kind} threw ${String(ending.error)}` }]);
    return;
  }
  batch.forEach((lease, index) => settleOne(world, site, queue, { ...lease, index }, ending.value[index]));
}

function settleOne(
  world: World,
  site: SimSite,
  queue: SiteQueue,
  lease: Lease & { readonly index: number },
  disposition: Disposition | undefined,
): void {
  const { message, receives } = lease;
  const { key } = message.fact;
  if (disposition?.kind === 'retry' && disposition.error instanceof ThrottledError)
    message.failures.throttled += 1;
  else message.failures.others += 1;
  world.trace(`settle ${disposition?.kind}`, site, key ?? '');
  world.note(key, site.name, () => `${queue.kind} message ${disposition?.kind} (receive ${receives})`, {
    tone: 'queue',
    ...(queue.kind === 'in' && { crossing: { message: message.number } }),
  });
  switch (disposition?.kind) {
    case 'done':
      // A lock that has run out settles nothing at Service Bus; SQS deletes what a late receipt names.
      if (!site.likeAws && message.receives !== receives) return;
      queue.done(message);
      break;
    case 'dead':
      if (queue.kind === 'verify' && FOR_GOOD.has(disposition.reason)) {
        const detail = `${site.name} has dead-lettered a step of a comparison: ${disposition.reason}`;
        world.find([{ invariant: '14 isolation', detail }]);
      }
      // The dead-letter queue may refuse too; then the message is handed back.
      if (!world.strikes('throttle')) queue.deadLettered(message, disposition.reason);
      break;
    case 'retry': {
      const { isNoAttempt } = disposition;
      // At AWS it stays where it is until its visibility timeout is over (`adapters/aws/entries.ts`).
      if (site.likeAws && isNoAttempt === true) break;
      const own = inboundOf(lease, lease.index);
      const { attributes, delaySeconds } = againOf({ message: own, ...(isNoAttempt && { isNoAttempt }) });
      queue.sendAgain(message, attributes, world.agenda.nowMs + delaySeconds * 1_000);
      world.wake(site, queue, delaySeconds * 1_000);
      break;
    }
    case undefined:
      world.find([{ invariant: 'no defects', key, detail: `no disposition for a message in ${queue.kind}` }]);
  }
  for (const event of message.pack) world.watchExposure(event.key, site, 'inbox');
  if (key !== undefined && queue.kind === 'in') world.watchExposure(key, site, 'inbox');
}
