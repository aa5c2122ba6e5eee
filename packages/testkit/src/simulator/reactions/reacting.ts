/** A simulated service that reacts: its traffic, its functions and its timers. */
import { localWrite } from '@tandem-clouds/replication/local-write';
import type { Site } from '@tandem-clouds/replication/protocol';
import { wakeDue } from '@tandem-clouds/replication/reactions/due';
import { react } from '@tandem-clouds/replication/reactions/react';
import { type ScanReport, setEntries } from '@tandem-clouds/replication/reactions/scan';
import { digest } from '../../../../../src/shared/digest.ts';
import { reactionsOf } from '../../../../../src/shared/domain/reactions.ts';
import type { Operation } from '../invocation.ts';
import { handOver, invoke, type SimProtocol, type Waiting } from '../invoke.ts';
import { observed } from '../observed.ts';
import { type SimSite, START_MS } from '../sim-site.ts';
import type { World } from '../world.ts';
import { EffectProvider } from './provider.ts';
import { task } from './task.ts';

const KEYS = ['task:a', 'task:b', 'task:c', 'task:d', 'task:e'] as const;
/** So many that never succeed are enough to fill what a timer wakes at once. */
const BAD_KEYS = ['task:01', 'task:02', 'task:03', 'task:04', 'task:05'] as const;
/** Begins the keys that one site alone writes. */
export const ONE_SITE = 'task:of-';
const WAKE_EVERY_MS = 10_000;
/** Small, so that what fails could keep the rest out. */
const WAKE_KEYS = 4;
/** How often a run has time for one more reaction. */
const GOES_ON = 0.9;

export class Reacting {
  readonly world: World;
  readonly provider: EffectProvider;
  lost: SimSite | undefined;
  /** Messages that wake are lost, all of them. */
  purged = false;
  closesAtMs = 0;
  slowness = 1;
  #started = 0;
  #nonces = 0;

  constructor(world: World) {
    this.world = world;
    this.provider = new EffectProvider(world);
    const reactions = reactionsOf([task], digest);
    for (const site of world.sites) site.reactions = reactions;
    world.onWake = (site, key) => {
      if (!this.purged)
        this.run(site, 'react', (own) => react(own, key, { goesOn: () => world.random.chance(GOES_ON) }));
    };
  }

  /** Runs a function at a site that is in service. */
  run<Result>(
    site: SimSite,
    name: string,
    protocol: (own: Site) => SimProtocol<Result>,
    ended: Waiting<Result> = {},
  ): void {
    if (site.down) {
      ended.failed?.();
      return;
    }
    this.#started += 1;
    const operation: Operation = { id: `${name}#${this.#started}`, decided: undefined };
    invoke(this.world, site, {
      kind: name === 'write' ? 'write' : 'react',
      operation,
      protocol: (own) => observed(protocol(own), operation),
      react: (effect) => this.provider.call(site, effect),
      ended: handOver(this.world, name, ended),
    });
  }

  /** A client's write, at any site. */
  operate(): void {
    const { random, sites, counts } = this.world;
    counts.operations += 1;
    this.#nonces += 1;
    const nonce = this.#nonces;
    const site = random.pick(sites);
    const roll = random.next();
    const key = random.pick(KEYS);
    const other = random.pick(sites);
    if (roll < 0.4) this.#write(site, key, { order: nonce });
    else if (roll < 0.65) {
      this.#write(site, key, { left: nonce });
      this.#write(other, key, { right: nonce });
    } else if (roll < 0.8) {
      this.#write(site, key, {
        due: Math.floor(START_MS + this.world.agenda.nowMs + random.between(0, 600_000)),
      });
    } else if (roll < 0.86) this.#write(site, key, { note: nonce });
    else if (roll < 0.92) this.#order(site, nonce);
    else if (roll < 0.97) this.#write(site, random.pick(BAD_KEYS), { bad: nonce });
    else this.#write(site, 'task:ball', { ball: 1 + 2 * random.int(3) });
  }

  /** Twice in a row, so that the second meets the effect of the first. */
  #order(site: SimSite, nonce: number): void {
    const key = `${ONE_SITE}${site.name}`;
    this.#write(site, key, { job: nonce, sent: 0 });
    this.world.agenda.after(this.world.random.between(20, 200), () =>
      this.#write(site, key, { job: -nonce, sent: 0 }),
    );
  }

  #write(site: SimSite, key: string, fields: Readonly<Record<string, number>>): void {
    this.run(site, 'write', (own) =>
      localWrite(own, { key, operationId: `w${this.#started}`, decide: () => fields }),
    );
  }

  /** Wakes what is due, as the sweep does, until the end. */
  startTimer(site: SimSite): void {
    const tick = (): void => {
      if (this.world.agenda.nowMs > this.closesAtMs) return;
      if (!site.down) this.run(site, 'wake', (own) => wakeDue(own, { keysMax: WAKE_KEYS }));
      this.world.agenda.after(WAKE_EVERY_MS * this.slowness * this.world.random.between(0.95, 1.05), tick);
    };
    this.world.agenda.as(`wake ${site.name}`, () =>
      this.world.agenda.after(this.world.random.between(0, WAKE_EVERY_MS), tick),
    );
  }

  /** What an operator's take-over does: a scan in parts, begun again when it fails. */
  takeOver(site: SimSite, lost: string, cursor?: string): void {
    const goOn = ({ next }: ScanReport): void => {
      if (next !== undefined) this.takeOver(site, lost, next);
    };

    this.run(site, 'take-over', (own) => setEntries(own, { lost }, { cursor, runMs: 0 }), {
      returned: goOn,
    });
  }
}
