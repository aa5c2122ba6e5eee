/**
 * Somebody who can send to a site's inbound queue as a peer may, and says more than a peer may say. Whatever it is must be
 * set aside: where a record bears it, the checkers of values find it.
 */
import { eventOf, type ReplicationEvent } from '@tandem-clouds/replication/event';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp, stampMs } from '@tandem-clouds/replication/stamp';
import { type SimSite, START_MS } from './sim-site.ts';
import type { World } from './world.ts';

type Event = ReplicationEvent;
/** From a genuine event about a record that the victim has written to what is forged. */
type Forgery = (event: Event, victim: SimSite) => Event;

/** A record of its own that a site alone may write. */
const reporting =
  (entity: string): Forgery =>
  (event, victim) =>
    about(event, `${entity}:${victim.name}${entity === 'verification' ? `.${event.source}` : ''}`, {
      [event.source]: 1,
    });

function about(event: Event, key: string, paused: Event['payload']): Event {
  const stamp = encodeStamp(Date.parse(event.timestamp), 0, event.source);
  return {
    ...event,
    event_id: `${event.source}|${key}|${stamp}`,
    key,
    payload: paused,
    state: {
      stamps: Object.fromEntries(Object.keys(paused).map((field) => [field, stamp])),
      vector: { [event.source]: stamp },
    },
  };
}

/** The event with a field more, under a stamp that the vector covers. */
function withField(event: Event, stamp: string, site: string): Event {
  const vector = { ...event.state.vector, [site]: stamp };
  return {
    ...event,
    payload: { ...event.payload, forged: 'evil' },
    state: { ...event.state, stamps: { ...event.state.stamps, forged: stamp }, vector },
  };
}

const REPORTS: readonly Forgery[] = ['pause', 'heartbeat', 'verification'].map(reporting);

/** The victim's own writes: its record may be written before the message is read, and then it says nothing new. */
const OWN: readonly Forgery[] = [
  // A write of the victim that it has not made, just within what its clock allows.
  (event, victim) => withField(event, encodeStamp(victim.now() + 1_000, 0, victim.name), victim.name),
  // One that it could have made, under the stamp of one that it has made.
  (event, victim) => withField(event, event.state.vector[victim.name] ?? '', victim.name),
  // A slot of a counter that is the victim's.
  (event, victim) => {
    const stamp = event.state.vector[victim.name] ?? '';
    const counters = { ...event.state.counters, forged: { [victim.name]: [stamp, 1_000] as const } };
    return { ...event, state: { ...event.state, counters } };
  },
];

const FORGERIES: readonly Forgery[] = [
  ...REPORTS,
  ...OWN,
  // A site that nobody knows, and more of them than there can be.
  (event) => withField(event, encodeStamp(stampMs(newest(event)), 0, 'gcp-9'), 'gcp-9'),
  (event) => {
    const stamp = newest(event).slice(0, 14);
    const clients = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`s-${i}`, `${stamp}s-${i}`]));
    return { ...event, state: { ...event.state, vector: { ...event.state.vector, ...clients } } };
  },
  // A register and a slot that the vector does not include, and an id of another state.
  (event) => {
    const stamp = encodeStamp(stampMs(newest(event)) + 1, 0, event.source);
    const counters = { ...event.state.counters, forged: { [event.source]: [stamp, 1_000] as const } };
    return { ...event, state: { ...event.state, counters } };
  },
  (event) => {
    const stamp = encodeStamp(stampMs(newest(event)) + 1, 0, event.source);
    return { ...event, state: { ...event.state, stamps: { ...event.state.stamps, forged: stamp } } };
  },
  (event) => {
    const stamp = encodeStamp(stampMs(newest(event)) + 1, 0, event.source);
    return { ...event, event_id: `${event.source}|${event.key}|${stamp}` };
  },
];

function newest({ state }: Event): string {
  return Object.values(state.vector).sort().at(-1) ?? '';
}

/** Sends one forged message to a site, in the name of one of its peers. */
export function forge(world: World, victim: SimSite): void {
  const { random } = world;
  const source = random.pick(victim.peers);
  const forgery = random.pick(FORGERIES);
  // While months pass the victim may remove the record, and then nothing but its clock can tell.
  if (victim.down || victim.older || world.drawnFaults.months > 0) return;
  const own = [...victim.store.records.values()].filter((record) => isForgeable(record, victim, source));
  if (own.length === 0) return;
  const record = random.pick(own);
  const version = record.state.vector[source] ?? '';
  const genuine = eventOf({ ...record, version }, { source, nowMs: START_MS + world.agenda.nowMs });
  const body = JSON.stringify(forgery(genuine, victim));
  world.note(world.watchedKey, victim.name, () => `forged: ${body.slice(0, 300)}`, { tone: 'fault' });
  const { fact } = world.enqueue(victim, victim.inbox, body, { poison: true, delayMs: 0 });
  fact.overtaken = OWN.includes(forgery);
  world.wake(victim, victim.inbox, 0);
}

/** Both have written it, so the peer's event could be genuine. */
function isForgeable({ key, state }: StoredRecord, { name }: SimSite, source: string): boolean {
  return (
    !/^(heartbeat|pause|verification|conflict):/.test(key) && name in state.vector && source in state.vector
  );
}
