/**
 * Performs one effect at the moment it takes place, with the faults that can befall a call: refused, applied with
 * its answer lost, applied late, or cut short by the death of its caller.
 */
import {
  AmbiguousError,
  AppError,
  ThrottledError,
  TooLargeError,
  UnavailableError,
} from '@tandem-clouds/replication/errors';
import type { OutboundMessage, SendResult } from '@tandem-clouds/replication/ports/queue';
import type { ClearRequest, PutResult, WriteRequest } from '@tandem-clouds/replication/ports/store';
import type { Effect } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { checkNewLife } from '../checkers/lives.ts';
import { checkOwnPart } from '../checkers/own-part.ts';
import { checkNews } from '../checkers/replay.ts';
import { checkAcceptedStamps, checkLocalStamp } from '../checkers/stamps.ts';
import {
  type CommittedWrite,
  isConflict,
  isOwnCount,
  isOwnReport,
  overrules,
  type QueueKind,
} from '../history/facts.ts';
import { changeRefusal, readRefusal, scannedPage, sendRefusal } from './bad-keys.ts';
import { resetsOf } from './intents.ts';
import type { Invocation, Operation } from './invocation.ts';
import { paceOf } from './pace.ts';
import type { SimSite } from './sim-site.ts';
import { meaningText, shortStamp } from './timeline.ts';
import type { World } from './world.ts';

export interface Response {
  readonly value?: unknown;
  readonly error?: Error;
}

interface Circumstances {
  readonly decided: Operation['decided'];
  /** Only the first part of a batch happens. */
  readonly cutShort: boolean;
}

const LATE_MS = [100, 30_000] as const;

export function runEffects(
  world: World,
  invocation: Invocation,
  effect: Exclude<Effect, { op: 'all' }>,
  { decided, cutShort }: Circumstances,
): Response {
  const { at } = invocation;
  world.current = at.name;
  const some = <T>(list: readonly T[]): readonly T[] =>
    cutShort ? list.slice(0, world.random.int(list.length + 1)) : list;
  if (at.storeThrottled > 0) {
    const refused = refusedByStore(effect);
    if (refused !== undefined) return refused;
  }
  switch (effect.op) {
    case 'get':
      world.trace('get', at, effect.key);
      return reading(world, () => at.store.get(effect.key), readRefusal(at, [effect.key]));
    case 'getMany':
      if (invocation.kind === 'sweep' || invocation.kind === 'verify')
        world.counts.sweptKeys += effect.keys.length;
      world.trace('getMany', at, effect.keys.join());
      return reading(world, () => at.store.getMany(effect.keys), readRefusal(at, effect.keys));
    case 'pending':
      return reading(world, () => at.store.pending(effect.beforeMs, effect.limit, effect.after));
    case 'due':
      return reading(world, () => at.store.due(effect.beforeMs, effect.limit, effect.after));
    case 'entries':
      return reading(world, () => at.store.entries(effect.query));
    case 'wake':
      return wakeUp(world, at, some(effect.keys));
    case 'putMany':
      return { value: some(effect.writes).map((write) => put(world, invocation, write, decided)) };
    case 'clearPending':
      return clearing(world, at, some(effect.requests));
    case 'publish':
      return { value: some(effect.messages).map((message) => publish(world, at, message)) };
    case 'send': {
      const peer = world.site(effect.peer);
      return { value: some(effect.messages).map((message) => send(world, at, peer, message)) };
    }
    case 'tell': {
      const to = world.site(effect.site);
      return { value: some(effect.messages).map((message) => report(world, at, to, message)) };
    }
    case 'scan':
      world.trace('scan', at, effect.cursor ?? '');
      return reading(world, () => scannedPage(at, at.store.scan(effect)));
    case 'scanKeys':
      world.trace('scanKeys', at, effect.cursor ?? '');
      return reading(world, () => at.store.scanKeys(effect, at.likeAws));
    case 'remove': {
      const refusal = changeRefusal(at, effect.key);
      if (refusal !== undefined) return { error: refusal };
      const called = calling(world, () => world.remove(at, effect.key, effect.expected));
      return 'error' in called ? called : { value: called.result };
    }
    case 'sleep':
      return {};
  }
}

/** A store that grants nothing; undefined for what is not asked of it. */
function refusedByStore(effect: Effect): Response | undefined {
  const error = new ThrottledError('the store grants nothing', { retryAfterMs: 500 });
  switch (effect.op) {
    case 'get':
    case 'getMany':
    case 'pending':
    case 'due':
    case 'entries':
    case 'scan':
    case 'scanKeys':
    case 'remove':
      return { error };
    case 'putMany':
      return { value: effect.writes.map((): PutResult => ({ status: 'failed', error })) };
    case 'clearPending':
      return { value: effect.requests.map(() => error) };
    case 'publish':
    case 'wake':
    case 'send':
    case 'tell':
    case 'sleep':
    case 'all':
      return undefined;
  }
}

/** With a hint when to come back, or without. */
function throttled({ counts }: World): Error {
  return counts.effects % 2 === 0
    ? new UnavailableError('refused')
    : new ThrottledError('throttled', { retryAfterMs: 500 });
}

/** @param refusal Why the store refuses this for good. */
function reading(world: World, read: () => unknown, refusal?: AppError): Response {
  if (world.strikes('throttle')) return { error: throttled(world) };
  if (world.strikes('ambiguous')) return { error: new AmbiguousError('no answer') };
  if (refusal !== undefined) return { error: refusal };
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { error };
  }
}

/** A call that changes something, under the three faults that a call can meet. */
export function calling<Result>(world: World, act: () => Result): { result: Result } | { error: Error } {
  if (world.strikes('throttle')) return { error: throttled(world) };
  if (world.strikes('late')) {
    world.agenda.after(world.random.between(...LATE_MS), act);
    return { error: new AmbiguousError('no answer, and it lands later') };
  }
  const result = act();
  return world.strikes('ambiguous') ? { error: new AmbiguousError('the answer was lost') } : { result };
}

function put(
  world: World,
  invocation: Invocation,
  write: WriteRequest,
  decided: Operation['decided'],
): PutResult {
  const refusal = changeRefusal(invocation.at, write.record.key);
  if (refusal !== undefined) return { status: 'failed', error: refusal };
  const called = calling(world, () => land(world, invocation, write, decided));
  return 'error' in called ? { status: 'failed', error: called.error } : called.result;
}

/** The moment a put takes effect, or is refused. */
function land(
  world: World,
  invocation: Invocation,
  write: WriteRequest,
  decided: Operation['decided'],
): PutResult {
  const { at, kind, operation, wallMs } = invocation;
  const { record } = write;
  const before = at.store.records.get(record.key);
  const result = at.store.put(write, at.likeAws);
  world.trace(`put ${result.status}`, at, record.key);
  world.note(keyOf(record), at.name, () =>
    operation === undefined
      ? `${kind} put ${result.status}${conflictText(record)}`
      : `${operation.id} put ${result.status} ${meaningText(decided)}`,
  );
  if (result.status !== 'written') {
    const unreadable = readRefusal(at, [record.key]);
    const reports = result.status === 'stale' && result.current !== undefined;
    return reports && unreadable !== undefined ? { status: 'failed', error: unreadable } : result;
  }
  // No other site hears of it, so there is nothing of replication to hold it to.
  if (isOwnCount(record.key)) return result;
  if (kind === 'react' && before?.state === record.state) {
    world.find(checkOwnPart(at.name, before, record));
    return result;
  }
  if (operation !== undefined && decided !== undefined) {
    const life = record.state.incarnation ?? 0;
    const raised = life > (decided.basis?.state.incarnation ?? 0);
    const resets = decided.creates ? resetsOf(raised ? undefined : decided.basis) : {};
    const committed: CommittedWrite = {
      atMs: world.agenda.nowMs,
      site: at.name,
      key: record.key,
      operationId: operation.id,
      stamp: record.version ?? '',
      fields: { ...resets, ...decided.fields },
      meant: decided.meant,
      life,
      creates: decided.creates,
      basis: decided.basis,
      replaced: before,
    };
    world.land(committed);
    world.find(checkLocalStamp(committed));
    world.find(checkNewLife(committed, at, decided.understood === true));
  } else {
    const applied = { site: at.name, key: record.key, before, after: record, wallMs };
    if (kind === 'verify' || kind === 'beat' || (kind === 'react' && isOwnReport(record.key))) {
      // It notes results, and erases, under stamps of its own, and marks what a peer lacks: neither has come from a peer.
      if (isOwnReport(record.key) || record.version !== before?.version) world.counts.notes += 1;
      else noteRepairs(world, at, before, record);
    } else {
      if (!world.drifted.has(record.key)) world.find(checkNews(applied));
      // An entry that a site adds to its own log bears a stamp that it has accepted already, or made.
      if (before !== undefined || !isConflict(record.key)) world.find(checkAcceptedStamps(applied));
    }
    if (before !== undefined && overrules(record.state, before.state)) world.forget(record.key, before);
    for (const watcher of world.watchers) watcher.applied(applied);
  }
  world.watchExposure(record.key, at, 'store');
  return result;
}

/** A repair marks a record for a peer before it sends it. */
function noteRepairs(
  world: World,
  from: SimSite,
  before: StoredRecord | undefined,
  record: StoredRecord,
): void {
  for (const [name, marker] of Object.entries(record.pending)) {
    if (before?.pending[name] === marker) continue;
    world.watchRepair({ key: record.key, from, peer: world.site(name), vector: record.state.vector });
  }
}

function clearing(world: World, at: SimSite, requests: readonly ClearRequest[]): Response {
  const refusals = requests.map(({ key }) => changeRefusal(at, key));
  const called = calling(world, () => {
    for (const request of requests.filter((_, index) => refusals[index] === undefined)) {
      const cleared = at.store.clear(request);
      world.trace(`clear ${cleared}`, at, request.key);
      if (!cleared) continue;
      world.note(request.key, at.name, () => `cleared ${Object.keys(request.accepted).join()}`);
      world.watchExposure(request.key, at, 'store');
    }
  });
  return { value: refusals.map((refusal) => refusal ?? ('error' in called ? called.error : undefined)) };
}

function publish(world: World, at: SimSite, message: OutboundMessage): SendResult {
  world.counts.published += 1;
  const called = calling(world, () => {
    deliver(world, { from: at, to: at, kind: 'out', body: inMinorOf(at, message.body) });
  });
  return 'error' in called ? called.error : undefined;
}

/** To the queue of whoever reacts: its messages are lost, doubled and late, and nothing may depend on them. */
function wakeUp(world: World, at: SimSite, keys: readonly string[]): Response {
  const called = calling(world, () => {
    for (const key of keys) {
      if (world.strikes('outboxLoss')) continue;
      const copies = world.strikes('duplicate') ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const delayMs = world.strikes('reorder') ? heldBack(world, 120_000) : world.random.between(1, 40);
        world.agenda.after(delayMs, () => world.onWake(at, key));
      }
    }
  });
  return 'error' in called ? called : {};
}

function send(world: World, from: SimSite, to: SimSite, { body }: OutboundMessage): SendResult {
  if (from !== to && !world.reaches(from, to)) {
    return world.random.chance(0.5) ? new UnavailableError('no connection') : new AmbiguousError('no answer');
  }
  if (to.inboxCharactersMax > 0 && body.length > to.inboxCharactersMax) {
    return new TooLargeError(`${body.length} characters, the queue takes ${to.inboxCharactersMax}`);
  }
  const refusal = sendRefusal(to, body);
  if (refusal !== undefined) return refusal;
  const called = calling(world, () => {
    if (from !== to && !world.reaches(from, to)) return;
    // What is left of a pack has crossed before.
    if (from !== to) world.counts.sent += 1;
    const text = inMinorOf(from, body);
    world.captured.get(to.name)?.push(text);
    deliver(world, { from, to, kind: 'in', body: text });
  });
  return 'error' in called ? called.error : undefined;
}

/** To the queue of comparisons of a peer, or of the site itself. */
function report(
  world: World,
  from: SimSite,
  to: SimSite,
  { body, delaySeconds = 0 }: OutboundMessage,
): SendResult {
  const isReached = (): boolean => from === to || world.reaches(from, to);
  if (!isReached()) return new UnavailableError('no connection');
  const isPack = body.startsWith('{"kind":"pack"');
  if (isPack && to.inboxCharactersMax > 0 && body.length > to.inboxCharactersMax)
    return new TooLargeError(`${body.length} characters, the queue takes ${to.inboxCharactersMax}`);
  const called = calling(world, () => {
    if (!isReached()) return;
    if (isPack) world.counts.sent += 1;
    deliver(world, { from, to, kind: 'verify', body, delaySeconds });
  });
  return 'error' in called ? called.error : undefined;
}

/** A queue has accepted a message: it is there once or twice, now or later, and in an own queue perhaps never. */
function deliver(
  world: World,
  message: { from: SimSite; to: SimSite; kind: QueueKind; body: string; delaySeconds?: number },
): void {
  const { from, to: site, kind, body, delaySeconds = 0 } = message;
  const queue = { out: site.outbox, in: site.inbox, verify: site.steps }[kind];
  const copies = world.strikes('duplicate') ? 2 : 1;
  for (let copy = 0; copy < copies; copy += 1) {
    // The own queue is not that slow: an event would be as old as its first message.
    const heldBackMs = kind === 'in' ? paceOf(world.drawnFaults).heldBackMs : 120_000;
    const wayMs = world.strikes('reorder') ? heldBack(world, heldBackMs) : world.random.between(1, 40);
    const delayMs = delaySeconds * 1_000 + wayMs;
    const queued = world.enqueue(site, queue, body, { poison: false, delayMs });
    world.trace(`accept ${kind}`, site, queued.fact.key ?? '');
    world.note(queued.fact.key, site.name, () => `${kind} queue accepts ${stampsText(queued.vector)}`, {
      tone: 'queue',
      ...(kind === 'in' && { crossing: { message: queued.number, from: from.name } }),
    });
    if (kind === 'out' && world.strikes('outboxLoss')) queue.lose(queued);
    else if (kind === 'in' && world.strikes('inboxLoss')) world.loseInbound(site, queued);
    else world.wake(site, queue, delayMs);
  }
}

/** Half of what is held back is so for almost as long as it can be: a little late is seldom wrong. */
function heldBack({ random }: World, longestMs: number): number {
  return random.chance(0.5) ? random.between(100, longestMs) : random.between(0.8 * longestMs, longestMs);
}

/** An event as a site with a newer release writes it: one minor version on, with fields that nobody here knows. */
function inMinorOf(site: SimSite, body: string): string {
  return site.newerMinor
    ? body.replace(/^\{"specversion":"1\.\d+"/, '{"specversion":"1.7","novelty":{"kept":true}')
    : body;
}

function stampsText(vector: Readonly<Record<string, string>> | undefined): string {
  return Object.values(vector ?? {})
    .map(shortStamp)
    .join(' ');
}

/** The key that a put is about: an entry of the conflict log is about another record. */
function keyOf({ key, state }: WriteRequest['record']): string {
  const about = isConflict(key) ? state.fields['record']?.[1] : key;
  return typeof about === 'string' ? about : key;
}

function conflictText({ key, state }: WriteRequest['record']): string {
  return isConflict(key) ? ` in the conflict log: ${JSON.stringify(state.fields['field']?.[1])}` : '';
}
