/** Drives a protocol with real, asynchronous effects. */
import { isRetryable } from './errors.ts';
import type { QueueSender } from './ports/queue.ts';
import type { Store } from './ports/store.ts';
import type { TimeLimit } from './ports/time-limit.ts';
import type { Effect, Protocol } from './protocol.ts';
import type { SiteId } from './stamp.ts';

type OneEffect = Exclude<Effect, { op: 'all' }>;

/** What effects are performed with. A function that never publishes or sends leaves those out. */
export interface Resources {
  readonly store: Store;
  readonly outbox?: QueueSender;
  readonly peers?: ReadonlyMap<SiteId, QueueSender>;
  /** Wakes whoever reacts at this site; a function that reacts itself, or that nothing wakes from, has none. */
  readonly waker?: (keys: readonly string[]) => Promise<void>;
  /** The queues of comparisons, of this site too. */
  readonly verifiers?: ReadonlyMap<SiteId, QueueSender>;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Runs a protocol to its end. Within a limit, an effect that is late fails as one does for a passing fault: messages and
 * writes by their outcomes, the rest by throwing. So the protocol ends soon after, in its own way.
 * @throws whatever the protocol throws.
 */
export async function drive<Result>(
  protocol: Protocol<Result>,
  resources: Resources,
  limit?: TimeLimit,
): Promise<Result> {
  let step = protocol.next();
  while (step.done !== true) {
    let result: unknown;
    try {
      result = await runWithin(step.value, resources, limit);
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    step = protocol.next(result);
  }
  return step.value;
}

async function runWithin(
  effect: Effect,
  resources: Resources,
  limit: TimeLimit | undefined,
): Promise<unknown> {
  // Side by side, each is bound by the limit itself, and so the whole is.
  if (effect.op === 'all') return driveAll(effect.protocols, resources, limit);
  if (limit === undefined) return runEffect(effect, resources);
  const shares = effect.op === 'send' ? (resources.peers?.size ?? 1) : 1;
  const call = { responded: false };
  try {
    return await limit.run(async () => {
      try {
        return await runEffect(effect, resources);
      } finally {
        call.responded = true;
      }
    }, shares);
  } catch (error) {
    if (call.responded || !isRetryable(error)) throw error;
    return lateResult(effect, error);
  }
}

/** @throws The error, where the effect has no outcomes to say it with. */
function lateResult(effect: OneEffect, error: unknown): unknown {
  switch (effect.op) {
    case 'send':
    case 'publish':
    case 'tell':
      return effect.messages.map(() => error);
    case 'putMany':
      return effect.writes.map(() => ({ status: 'failed', error }));
    case 'sleep':
    case 'wake':
      return undefined;
    case 'get':
    case 'getMany':
    case 'clearPending':
    case 'pending':
    case 'due':
    case 'entries':
    case 'scan':
    case 'scanKeys':
    case 'remove':
      throw error;
  }
}

/** Waits for all of them, so that none goes on behind the back of a caller that has failed. */
async function driveAll(
  protocols: readonly Protocol<unknown>[],
  resources: Resources,
  limit: TimeLimit | undefined,
): Promise<readonly unknown[]> {
  const endings = await Promise.allSettled(protocols.map((protocol) => drive(protocol, resources, limit)));
  return endings.map((ending) => {
    if (ending.status === 'rejected') throw ending.reason;
    return ending.value;
  });
}

function runEffect(effect: OneEffect, resources: Resources): Promise<unknown> {
  const { store, outbox, peers, verifiers, waker, sleep } = resources;
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
    case 'due':
      return store.due(effect.beforeMs, effect.limit, effect.after);
    case 'entries':
      return store.entries(effect.query);
    case 'wake':
      return waker?.(effect.keys) ?? Promise.resolve();
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
      return store.scan(effect);
    case 'scanKeys':
      return store.scanKeys(effect);
    case 'remove':
      return store.remove(effect.key, effect.expected);
    case 'sleep':
      return sleep(effect.ms);
  }
}
