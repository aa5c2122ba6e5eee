/** Drives a protocol with real, asynchronous effects. */
import type { QueueSender } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { Effect, Protocol } from './protocol.ts';
import type { SiteId } from './stamp.ts';

/** What effects are performed with. A function that never publishes or sends leaves those out. */
export interface Resources {
  readonly store: Store;
  readonly outbox?: QueueSender;
  readonly peers?: ReadonlyMap<SiteId, QueueSender>;
  /** The queues of comparisons, of this site too. */
  readonly verifiers?: ReadonlyMap<SiteId, QueueSender>;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Runs a protocol to its end. @throws whatever the protocol throws. */
export async function drive<Result>(protocol: Protocol<Result>, resources: Resources): Promise<Result> {
  let step = protocol.next();
  while (step.done !== true) {
    let result: unknown;
    try {
      result = await perform(step.value, resources);
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    step = protocol.next(result);
  }
  return step.value;
}

/** Waits for all of them, so that none goes on behind the back of a caller that has failed. */
async function driveAll(
  protocols: readonly Protocol<unknown>[],
  resources: Resources,
): Promise<readonly unknown[]> {
  const endings = await Promise.allSettled(protocols.map((protocol) => drive(protocol, resources)));
  return endings.map((ending) => {
    if (ending.status === 'rejected') throw ending.reason;
    return ending.value;
  });
}

function perform(effect: Effect, resources: Resources): Promise<unknown> {
  const { store, outbox, peers, verifiers, sleep } = resources;
  switch (effect.op) {
    case 'get':
      return store.get(effect.key);
    case 'getMany':
      return store.getMany(effect.keys);
    case 'putMany':
      return store.putMany(effect.writes);
    case 'clearPending':
      return store.clearPending(effect.requests);
    case 'pending':
      return store.pending(effect.beforeMs, effect.limit, effect.after);
    case 'publish':
      if (outbox === undefined) throw new TypeError('this function has no outbox');
      return outbox.send(effect.messages);
    case 'send': {
      const sender = peers?.get(effect.peer);
      if (sender === undefined) throw new TypeError(`this function has no queue of ${effect.peer}`);
      return sender.send(effect.messages);
    }
    case 'tell': {
      const sender = verifiers?.get(effect.site);
      if (sender === undefined)
        throw new TypeError(`this function has no queue of comparisons of ${effect.site}`);
      return sender.send(effect.messages);
    }
    case 'scan':
      return store.scan({ cursor: effect.cursor, limit: effect.limit });
    case 'remove':
      return store.remove(effect.key, effect.expected);
    case 'all':
      return driveAll(effect.protocols, resources);
    case 'sleep':
      return sleep(effect.ms);
  }
}
