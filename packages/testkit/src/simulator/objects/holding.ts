/** A simulated service whose records have content: its functions, its timers, and what it knows of every upload. */
import type { Content, Contents } from '@tandem-clouds/replication/objects/content';
import { holdWithin, recheck } from '@tandem-clouds/replication/objects/hold';
import { takeInventory } from '@tandem-clouds/replication/objects/inventory';
import { beginInventory } from '@tandem-clouds/replication/objects/inventory-record';
import type { InventoryStep } from '@tandem-clouds/replication/objects/inventory-step';
import type { Site } from '@tandem-clouds/replication/protocol';
import { wakeDue } from '@tandem-clouds/replication/reactions/due';
import { react } from '@tandem-clouds/replication/reactions/react';
import { type ScanReport, setEntries } from '@tandem-clouds/replication/reactions/scan';
import { digest } from '../../../../../src/shared/digest.ts';
import { contentsOf } from '../../../../../src/shared/domain/content.ts';
import { deletion } from '../../../../../src/shared/domain/entity-service.ts';
import { reactionsOf } from '../../../../../src/shared/domain/reactions.ts';
import { object } from '../../../../../src/shared/entities/object.ts';
import type { Operation } from '../invocation.ts';
import { handOver, invoke, type SimProtocol, type Waiting } from '../invoke.ts';
import { observed } from '../observed.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import type { ObjectFaults } from './faults.ts';
import { BODY_BYTES, PART_BYTES, Storages } from './storage.ts';

const WAKE_EVERY_MS = 10_000;
const INVENTORY_EVERY_MS = 300_000;
/** Before the end nothing more is noted, so that what was has crossed. */
const QUIET_MS = 1_800_000;
/** A function of a minute, which begins nothing new in its last quarter. */
const RUN_MS = 60_000;
const BEGIN_MS = 45_000;

/** An upload as a client has announced it. */
export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly site: SimSite;
  readonly text: string;
  readonly content: Omit<Content, 'completedMs' | 'versionId'>;
}

export class Holding {
  readonly world: World;
  readonly storages: Storages;
  readonly contents: Contents;
  /** Every upload that a client has announced, by its id. */
  readonly uploads = new Map<string, Upload>();
  /** Those of which a client was told that they are the content. */
  readonly acknowledged = new Set<string>();
  /** Keys of records that somebody has asked to delete. */
  readonly deleted = new Set<string>();
  lost: SimSite | undefined;
  closesAtMs = 0;
  slowness = 1;
  #started = 0;

  constructor(world: World, faults: ObjectFaults) {
    this.world = world;
    this.storages = new Storages(world, faults);
    const contents = contentsOf([object]);
    if (contents === undefined) throw new TypeError('objects have content');
    this.contents = contents;
    for (const site of world.sites) site.reactions = reactionsOf([object], digest, undefined, ownOf(site));
    world.onWake = (site, key) => this.#transfer(site, key);
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
      kind: name === 'write' || name === 'create' ? 'write' : 'react',
      operation,
      protocol: (own) => observed(protocol(own), operation, name === 'create' ? site.now() : undefined),
      objects: {
        call: (effect) => this.storages.call(site, effect),
        latencyMs: (effect) => this.storages.latencyMs(effect),
      },
      ended: handOver(this.world, name, ended),
    });
  }

  #transfer(site: SimSite, key: string): void {
    const endsMs = this.world.agenda.nowMs + BEGIN_MS;
    const goesOn = (): boolean => this.world.agenda.nowMs < endsMs;
    const within = holdWithin(this.contents, {
      goesOn,
      bodyBytesMax: BODY_BYTES,
      partBytes: PART_BYTES,
      partsAtOnce: 2,
    });
    this.run(site, 'transfer', (own) => react(own, key, { within, goesOn, runMs: RUN_MS }));
  }

  /** Asks a site's storage whether what a record claims is true. */
  recheck(site: SimSite, key: string): void {
    this.run(site, 'recheck', (own) => recheck(own, key, this.contents));
  }

  /** Wakes what is due, as the sweep does, and now and then asks about everything, until the end. */
  startTimers(site: SimSite): void {
    this.#every(site, 'wake', WAKE_EVERY_MS, () =>
      this.run(site, 'wake', (own) => wakeDue(own, { keysMax: 8 })),
    );
    this.#every(site, 'inventory', INVENTORY_EVERY_MS, () => {
      if (this.world.agenda.nowMs < this.closesAtMs - QUIET_MS) this.inventory(site);
    });
  }

  /** Compares what a site's records say with what its storage has, in as many steps as it takes. */
  inventory(site: SimSite): void {
    const id = `inventory#${this.#started}`;
    this.run(site, 'inventory', (own) => beginInventory(own, { id, asked: true }), {
      returned: (step) => this.#takeStep(site, step),
    });
  }

  #takeStep(site: SimSite, step: InventoryStep | undefined): void {
    if (step === undefined) return;
    const parts = {
      contents: this.contents,
      accountsOf: () => [],
      deletion,
      goesOn: () => this.world.random.chance(0.8),
    };
    this.run(site, 'inventory', (own) => takeInventory(own, step, parts), {
      returned: (next) => this.#takeStep(site, next),
    });
  }

  #every(site: SimSite, name: string, everyMs: number, act: () => void): void {
    const { agenda } = this.world;
    const tick = (): void => {
      if (agenda.nowMs > this.closesAtMs) return;
      if (!site.down) act();
      agenda.after(everyMs * this.slowness * this.world.random.between(0.95, 1.05), tick);
    };
    agenda.as(`${name} ${site.name}`, () => agenda.after(this.world.random.between(0, everyMs), tick));
  }

  /** What an operator's take-over does: a scan in parts, begun again when it fails. */
  takeOver(site: SimSite, lost: string, cursor?: string): void {
    this.run(site, 'take-over', (own) => setEntries(own, { lost }, { cursor, runMs: 0 }), {
      returned: ({ next }: ScanReport) => {
        if (next !== undefined) this.takeOver(site, lost, next);
      },
    });
  }
}

/** What a site knows of itself, which operators change when another one is lost. */
function ownOf(site: SimSite): Site {
  return {
    site: site.name,
    get peers() {
      return site.peers;
    },
    get retired() {
      return site.retired;
    },
    now: () => site.now(),
  };
}
