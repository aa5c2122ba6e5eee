/**
 * Invariant 18, unique values: no site gives a second live record a value that it has given one already; at rest every
 * live record's value is claimed for it, at every site; and of two that share one the loser has had its `onDuplicate`, which
 * nobody else has.
 */
import { isDeleted, isLive, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { claimsOf } from '../../../../../src/shared/domain/unique/reservation.ts';
import type { AppliedPut, CommittedWrite, Finding, Snapshot } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import type { LossCall } from './losing.ts';
import { EMAIL, PERSON, reservationOf } from './person.ts';

const INVARIANT = '18 unique';

/** For how long a site has shown a record with a value. */
interface Held {
  readonly key: string;
  readonly value: string;
  readonly fromMs: number;
  untilMs: number;
}

/** Sees every write when it takes effect. */
export class UniqueWatcher implements Watcher {
  readonly #world: World;
  /** Site → record → the value that this site has given it, as long as it has it there. */
  readonly #given = new Map<string, Map<string, string>>();
  readonly #shown: Held[] = [];
  /** Site and record → what is shown there now. */
  readonly #showing = new Map<string, Held>();
  /** What was done for whom, by the record and the stamp of its value. */
  readonly #done = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  committed({ key, site, replaced }: CommittedWrite): void {
    if (!key.startsWith(PERSON)) return;
    const { name, store, ...at } = this.#site(site);
    const value = valueOf(store.records.get(key), at.nowMs);
    this.#show(site, key, value);
    if (value === valueOf(replaced, at.nowMs)) return;
    const given = this.#given.get(name) ?? new Map<string, string>();
    this.#given.set(name, given);
    given.delete(key);
    if (value === undefined) return;
    for (const [other, held] of given) {
      if (held === value) this.#find(key, `${site} gave ${value} to ${key} and before that to ${other}`);
    }
    given.set(key, value);
  }

  applied({ site, key, after }: AppliedPut): void {
    if (!key.startsWith(PERSON)) return;
    const value = valueOf(after, this.#site(site).nowMs);
    this.#show(site, key, value);
    const given = this.#given.get(site);
    if (given !== undefined && value !== given.get(key)) given.delete(key);
  }

  /** An effect for who has lost a value. */
  called({ key, effectId, site, loss: { value, of, to } }: LossCall): void {
    const shown = (record: string): readonly Held[] =>
      this.#shown.filter((held) => held.key === record && held.value === value);
    const isShared = shown(key).some((mine) =>
      shown(to).some(({ fromMs, untilMs }) => fromMs <= mine.untilMs && mine.fromMs <= untilMs),
    );
    if (to === key || !isShared) this.#find(key, `lost ${value} to ${to}, which never had it beside it`);
    const ranks = claimantsAt(site.store.records, value);
    if (!ranks.includes(to) || ranks.indexOf(to) > ranks.indexOf(key))
      this.#find(key, `lost ${value} to ${to}, which claimed it later`);
    const name = nameOf(key, of);
    if ((this.#done.get(name) ?? effectId) !== effectId) this.#find(key, 'one loss has two effects');
    this.#done.set(name, effectId);
  }

  /** Of those who share a value all but the first have had their effect, and nothing is parked. */
  checkLosers(snapshot: Snapshot): void {
    for (const [site, records] of snapshot) {
      const holders = new Map<string, string[]>();
      for (const [key, record] of records) {
        for (const [reaction, { parked }] of Object.entries(record.reactions ?? {}))
          if (parked !== undefined) this.#find(key, `${site}: ${reaction} is parked as ${parked.reason}`);
        const value = key.startsWith(PERSON) ? valueOf(record, this.#site(site).nowMs) : undefined;
        if (value !== undefined) holders.set(value, [...(holders.get(value) ?? []), key]);
      }
      for (const [value, keys] of holders) {
        const [, ...losers] = claimantsAt(records, value).filter((key) => keys.includes(key));
        for (const key of losers) {
          const of = records.get(key)?.state.fields[EMAIL]?.[0] ?? '';
          if (!this.#done.has(nameOf(key, of)))
            this.#find(key, `nobody at ${site} did anything for its loss of ${value}`);
        }
      }
    }
  }

  #show(site: string, key: string, value: string | undefined): void {
    const nowMs = this.#world.agenda.nowMs;
    const name = `${site} ${key}`;
    const before = this.#showing.get(name);
    if (before?.value === value) return;
    if (before !== undefined) before.untilMs = nowMs;
    this.#showing.delete(name);
    if (value === undefined) return;
    const held = { key, value, fromMs: nowMs, untilMs: Infinity };
    this.#shown.push(held);
    this.#showing.set(name, held);
  }

  #find(key: string, detail: string): void {
    this.#world.find([{ invariant: INVARIANT, key, detail }]);
  }

  #site(name: string): { name: string; store: SimSite['store']; nowMs: number } {
    const site = this.#world.site(name);
    return { name, store: site.store, nowMs: site.now() };
  }
}

function nameOf(key: string, stamp: string): string {
  return `${key} ${stamp}`;
}

/** Who claims a value, in the order of their first claims. */
function claimantsAt(records: ReadonlyMap<string, StoredRecord>, value: string): readonly string[] {
  return [...new Set(claimsOf(records.get(reservationOf(value))).map(({ record }) => record))];
}

function valueOf(record: StoredRecord | undefined, nowMs: number): string | undefined {
  const value = record !== undefined && isLive(record.state, nowMs) ? plainValues(record.state)[EMAIL] : null;
  return typeof value === 'string' ? value : undefined;
}

export function checkClaims(snapshot: Snapshot): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [site, records] of snapshot) {
    for (const [key, record] of records) {
      if (!key.startsWith(PERSON) || isDeleted(record.state)) continue;
      const value = plainValues(record.state)[EMAIL];
      if (typeof value !== 'string') continue;
      const claims = claimsOf(records.get(reservationOf(value)));
      if (claims.some((claim) => claim.record === key)) continue;
      findings.push({ invariant: INVARIANT, key, detail: `nobody at ${site} knows that it has ${value}` });
    }
  }
  return findings;
}
