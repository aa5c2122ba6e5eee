/**
 * Whoever does the effects, on virtual time: honours idempotency keys for 24 hours, counts, fails, and answers too late or
 * not at all. Projections of what runs at every site are kept here as well.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { ReactionEffect } from '@tandem-clouds/replication/reactions/react';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { valuesOf } from '../../../../../src/shared/domain/field-changes.ts';
import { resultOf } from '../../../../../src/shared/domain/reactions.ts';
import { calling, type Response } from '../run-effects.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import { RESULTS, task } from './task.ts';

export const KEY_MEMORY_MS = 24 * 3_600_000;

/** An effect that has come about. */
export interface Performed {
  readonly effectId: string;
  readonly reaction: string;
  readonly record: StoredRecord;
  readonly site: string;
  readonly atMs: number;
}

export class EffectProvider {
  readonly performed: Performed[] = [];
  /** Every call that arrived, by effect: those that repeat one among them. */
  readonly calls: (Performed & { readonly retired: readonly string[] })[] = [];
  /** Site → key → what was projected there last. */
  readonly projected = new Map<string, Map<string, { readonly fence: number; readonly shows: string }>>();
  down = false;
  /** Called when an effect has come about, before its answer is on the way. */
  onPerformed: (site: SimSite) => void = () => undefined;
  readonly #world: World;
  readonly #keys = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  call(at: SimSite, effect: ReactionEffect): Response {
    if (this.down) return { error: new UnavailableError('the provider is down') };
    const called = calling(this.#world, () => this.#answer(at, effect));
    return 'error' in called ? called : called.result;
  }

  #answer(at: SimSite, { call, reaction, effectId, record, fence }: ReactionEffect): Response {
    const atMs = this.#world.agenda.nowMs;
    const values = valuesOf(task, record);
    this.#world.hash.add(`${call} ${effectId};`);
    if (reaction === 'copy') {
      this.#project(at.name, record, fence);
      return {};
    }
    const result = {
      value: resultOf(task, RESULTS[reaction]?.(values) ?? {}, { byMember: true, check: () => [] }),
    };
    const fact = { effectId, reaction, record, site: at.name, atMs };
    this.calls.push({ ...fact, retired: at.retired });
    this.#world.note(record.key, at.name, () => `${call} ${effectId}`);
    if (reaction === 'fix') return { error: new Error('never succeeds') };
    if (call === 'lookUp')
      return this.performed.some((each) => each.effectId === effectId) ? result : { value: 'absent' };
    const knownMs = this.#keys.get(effectId);
    if (knownMs === undefined || atMs - knownMs >= KEY_MEMORY_MS) {
      this.#keys.set(effectId, atMs);
      this.performed.push(fact);
      this.onPerformed(at);
    }
    return result;
  }

  /** A projection refuses what was begun before what it shows: calls may land in any order. */
  #project(site: string, record: StoredRecord, fence: number): void {
    const of = this.projected.get(site) ?? new Map<string, { fence: number; shows: string }>();
    if ((of.get(record.key)?.fence ?? 0) <= fence) of.set(record.key, { fence, shows: projectionOf(record) });
    this.projected.set(site, of);
  }
}

/** What a projection shows of a record. */
export function projectionOf({ state: { fields } }: StoredRecord): string {
  return JSON.stringify([fields['order'], fields['note']]);
}
