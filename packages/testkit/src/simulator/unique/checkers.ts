/**
 * Invariant 18, unique values: no site gives a second live record a value that it has given one already; and at rest every
 * live record's value is claimed for it, at every site, so whoever has lost a value is known.
 */
import { isDeleted, isLive, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { claimsOf } from '../../../../../src/shared/domain/unique/reservation.ts';
import type { AppliedPut, CommittedWrite, Finding, Snapshot } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import { EMAIL, PERSON, unique } from './traffic.ts';

const INVARIANT = '18 unique';

/** Sees every write when it takes effect. */
export class UniqueWatcher implements Watcher {
  readonly #world: World;
  /** Site → record → the value that this site has given it, as long as it has it there. */
  readonly #given = new Map<string, Map<string, string>>();

  constructor(world: World) {
    this.#world = world;
  }

  committed({ key, site, replaced }: CommittedWrite): void {
    if (!key.startsWith(PERSON)) return;
    const { name, store, ...at } = this.#site(site);
    const value = valueOf(store.records.get(key), at.nowMs);
    if (value === valueOf(replaced, at.nowMs)) return;
    const given = this.#given.get(name) ?? new Map<string, string>();
    this.#given.set(name, given);
    given.delete(key);
    if (value === undefined) return;
    for (const [other, held] of given) {
      if (held !== value) continue;
      const detail = `${site} gave ${value} to ${key} and before that to ${other}`;
      this.#world.find([{ invariant: INVARIANT, key, detail }]);
    }
    given.set(key, value);
  }

  applied({ site, key, after }: AppliedPut): void {
    const given = this.#given.get(site);
    if (given !== undefined && valueOf(after, this.#site(site).nowMs) !== given.get(key)) given.delete(key);
  }

  #site(name: string): { name: string; store: SimSite['store']; nowMs: number } {
    const site = this.#world.site(name);
    return { name, store: site.store, nowMs: site.now() };
  }
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
      const claims = claimsOf(records.get(unique.reservationOf(EMAIL, value)));
      if (claims.some((claim) => claim.record === key)) continue;
      findings.push({ invariant: INVARIANT, key, detail: `nobody at ${site} knows that it has ${value}` });
    }
  }
  return findings;
}
