/** What is done for those who lose a value: functions that react, their timer, and who does the effects. */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { Site } from '@tandem-clouds/replication/protocol';
import { wakeDue } from '@tandem-clouds/replication/reactions/due';
import { react, type ReactionEffect } from '@tandem-clouds/replication/reactions/react';
import { idOf } from '@tandem-clouds/replication/record';
import { lostResult } from '../../../../../src/shared/domain/reactions.ts';
import { type Loss, lossOf } from '../../../../../src/shared/domain/unique/duplicates.ts';
import type { Operation } from '../invocation.ts';
import { handOver, invoke, type SimProtocol } from '../invoke.ts';
import { observed } from '../observed.ts';
import { calling, type Response } from '../run-effects.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import { changesOf, EMAIL, person, reactions, withinSite } from './person.ts';

const WAKE_EVERY_MS = 10_000;

/** A call at whoever does the effects. */
export interface LossCall {
  readonly key: string;
  readonly effectId: string;
  readonly site: SimSite;
  readonly loss: Loss;
}

export class Losing {
  readonly #world: World;
  readonly #called: (call: LossCall) => void;
  readonly #performed = new Set<string>();
  #started = 0;

  /** @param called Sees every call that takes effect, the repeated ones too. */
  constructor(world: World, called: (call: LossCall) => void) {
    this.#world = world;
    this.#called = called;
    for (const site of world.sites) site.reactions = reactions;
    world.onWake = (site, key) => this.#run(site, 'react', (own) => react(own, key, { within: withinSite }));
  }

  /** Wakes what is due, as the sweep does, until a moment. */
  startTimer(site: SimSite, untilMs: number): void {
    const { agenda, random } = this.#world;
    const tick = (): void => {
      if (agenda.nowMs > untilMs) return;
      if (!site.down) this.#run(site, 'wake', (own) => wakeDue(own));
      agenda.after(WAKE_EVERY_MS * random.between(0.95, 1.05), tick);
    };
    agenda.as(`wake ${site.name}`, () => agenda.after(random.between(0, WAKE_EVERY_MS), tick));
  }

  #run(site: SimSite, name: string, protocol: (own: Site) => SimProtocol<unknown>): void {
    if (site.down) return;
    this.#started += 1;
    const operation: Operation = { id: `${name}#${this.#started}`, decided: undefined };
    invoke(this.#world, site, {
      kind: 'react',
      operation,
      protocol: (own) => observed(protocol(own), operation),
      react: (effect) => this.#call(site, effect),
      ended: handOver(this.#world, name, {}),
    });
  }

  #call(site: SimSite, effect: ReactionEffect): Response {
    const called = calling(this.#world, () => this.#answer(site, effect));
    return 'error' in called ? called : called.result;
  }

  #answer(site: SimSite, { call, effectId, record }: ReactionEffect): Response {
    const loss = lossOf(record.state, [EMAIL]);
    if (loss === undefined) return { error: new TypeError(`${record.key} has lost nothing`) };
    this.#world.hash.add(`${call} ${effectId};`);
    this.#world.note(record.key, site.name, () => `${call} ${effectId}`);
    const changes = changesOf(record.key, idOf(loss.to));
    const result = { value: lostResult(person, loss, changes, { byMember: true, check: () => [] }) };
    if (call === 'lookUp') return this.#performed.has(effectId) ? result : { value: 'absent' };
    if (this.#world.random.chance(0.1)) return { error: new UnavailableError('the provider is down') };
    this.#performed.add(effectId);
    this.#called({ key: record.key, effectId, site, loss });
    return result;
  }
}
