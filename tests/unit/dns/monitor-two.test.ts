/**
 * Two monitors over one zone, in an order that chance decides, with deaths, partitions and clocks that differ. What holds
 * after every step is what "two monitors never fight" means.
 */
import { describe, expect, it } from '@jest/globals';
import type { Change, ZoneRecord } from '@tandem-clouds/zone/model';
import { incidentsIn, incidentsName } from '../../../dns/incidents.ts';
import { Monitor } from '../../../dns/monitor/monitor.ts';
import { overridesName } from '../../../dns/overrides.ts';
import type { Provider } from '../../../dns/provider.ts';
import { ZONE } from '../../helpers/dns/fixtures.ts';
import { A, B, monitorWorld, observeOf, type World } from '../../helpers/dns/monitor-world.ts';
import { requestsInTurn } from '../../helpers/dns/requests-in-turn.ts';

/** Park and Miller's minimal standard generator. */
function chanceOf(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

class Killed extends Error {}

interface Body {
  readonly provider: Provider;
  /** Dies at so many more calls to the provider. */
  dieAfter: number;
}

interface Heard {
  /** What the zone says of traffic. */
  readonly moved: (before: string, after: string) => void;
  readonly opened: (site: string) => void;
  /** Resolves when the other monitor has done what it is at. */
  readonly stall: () => Promise<void>;
}

/** A provider which a dead monitor no longer reaches, and whose calls wait now and then for the other monitor. */
function mortal(inner: Provider, chance: () => number, heard: Heard): Body {
  const call = async (
    name: keyof Provider,
    act: (...args: unknown[]) => Promise<unknown>,
    args: unknown[],
  ) => {
    if (chance() < 0.2) await heard.stall();
    const isLast = body.dieAfter === 0;
    body.dieAfter -= 1;
    // It dies before the call, or after it and before it hears of it.
    if (body.dieAfter < -1 || (isLast && chance() < 0.5)) throw new Killed();
    const answer = await act.apply(inner, args);
    if (name === 'apply') for (const change of args[0] as Change[]) report(change, heard);
    if (isLast) throw new Killed();
    return answer;
  };
  const body: Body = {
    dieAfter: Infinity,
    provider: new Proxy(inner, {
      get(target, name: keyof Provider) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const act = value as (...args: unknown[]) => Promise<unknown>;
        return name === 'prepare' ? act.bind(target) : (...args: unknown[]) => call(name, act, args);
      },
    }),
  };
  return body;
}

function report({ before, after }: Change, { moved, opened }: Heard): void {
  const name = (before ?? after)?.name;
  const text = (record: ZoneRecord | undefined): string =>
    record?.kind === 'plain' ? (record.values[0] ?? '') : '';
  if (name === overridesName(ZONE)) moved(text(before), text(after));
  if (name !== incidentsName(ZONE)) return;
  const open = (record: ZoneRecord | undefined) =>
    incidentsIn(record ? [record] : [], ZONE).filter(({ phase }) => phase === 'open');
  for (const { site, openedAtMs, flaps } of open(after)) {
    const isNew = open(before).every(
      (one) => one.site !== site || one.flaps !== flaps || one.openedAtMs !== openedAtMs,
    );
    if (isNew) opened(site);
  }
}

/** Site → how often. */
type Counts = Record<string, number>;

interface Trial {
  readonly world: World;
  readonly chance: () => number;
  /** Whom each monitor cannot reach. */
  readonly cut: readonly Set<string>[];
  /** How often a site was lost. */
  readonly lost: Counts;
  readonly opened: Counts;
  readonly takenOut: Counts;
  readonly letIn: Counts;
  /** The monitors' looks of this step. */
  looking: readonly Promise<void>[];
  /** One at a time, or they would wait for each other. */
  isStalled: boolean;
}

const SAMPLES = 60;
/** Nobody dies any more, and everybody sees what is. */
const CALM_SAMPLES = 30;

function born(trial: Trial, index: number): { body: Body; monitor: Monitor } {
  const { world, chance, cut, opened, takenOut, letIn } = trial;
  const body = mortal(world.fresh(), chance, {
    stall: async () => {
      if (trial.isStalled) return;
      trial.isStalled = true;
      await trial.looking[1 - index];
      trial.isStalled = false;
    },
    opened: (site) => add(opened, site),
    moved(before, after) {
      for (const site of [A, B]) {
        const [wasOut, isOut] = [before, after].map((text) => text.includes(`${site}=0`));
        if (wasOut === false && isOut === true) add(takenOut, site);
        if (wasOut === true && isOut === false) add(letIn, site);
      }
    },
  });
  const monitorContext = world.monitorContext({
    provider: body.provider,
    owner: `monitor-${index}`,
    observe: observeOf((site) => world.up[site] === true && cut[index]?.has(site) === false),
  });
  const options = { monitorContext, runbooks: world.runbooks(), intervalMs: 10_000, gapMs: 60_000 };
  return { body, monitor: new Monitor(options) };
}

function add(counts: Counts, site: string): void {
  counts[site] = (counts[site] ?? 0) + 1;
}

function disturb({ world, chance, cut, lost }: Trial): void {
  const roll = chance();
  const site = chance() < 0.5 ? A : B;
  if (roll < 0.15) cut[chance() < 0.5 ? 0 : 1]!.add(site);
  else if (roll < 0.3) for (const of of cut) of.clear();
  else if (roll < 0.36) {
    if (world.up[site] === true) add(lost, site);
    world.up[site] = world.up[site] !== true;
  }
}

async function run(trial: Trial, seed: number): Promise<void> {
  const { world, chance, cut, lost, opened, takenOut, letIn } = trial;
  const monitors = [born(trial, 0), born(trial, 1)];
  for (let step = 0; step < SAMPLES; step += 1) {
    const isCalm = step >= SAMPLES - CALM_SAMPLES;
    if (isCalm) for (const of of cut) of.clear();
    else disturb(trial);
    world.check();
    const sample = async (index: number): Promise<void> => {
      const one = monitors[index]!;
      if (chance() < 0.2) return;
      if (!isCalm && chance() < 0.15) one.body.dieAfter = Math.floor(chance() * 12);
      try {
        await one.monitor.sample();
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      if (one.body.dieAfter < 0) monitors[index] = born(trial, index);
    };
    trial.looking = [sample(0), sample(1)];
    await Promise.all(trial.looking);
    const { overrides } = await world.zone();
    expect({ seed, step, isAnyoneIn: overrides.get(A) !== 0 || overrides.get(B) !== 0 }).toMatchObject({
      isAnyoneIn: true,
    });
    for (const site of [A, B]) {
      const [losses = 0, outs = 0, ins = 0] = [lost[site], takenOut[site], letIn[site]];
      const incidents = opened[site] ?? 0;
      const why = { seed, step, site, losses, incidents, outs, ins };
      expect({
        ...why,
        isOncePerLoss: outs <= losses && incidents <= losses,
        isBackOnce: ins <= outs,
      }).toMatchObject({
        isOncePerLoss: true,
        isBackOnce: true,
      });
    }
    await world.clock.sleep(10_000);
  }
}

/** What is left when nobody has disturbed it for a while. */
async function settled({ world }: Trial, seed: number): Promise<void> {
  const { overrides, incidents } = await world.zone();
  for (const [site, other] of [
    [A, B],
    [B, A],
  ] as const) {
    if (world.up[site] === true || world.up[other] !== true) continue;
    expect({ seed, site, share: overrides.get(site) }).toEqual({ seed, site, share: 0 });
    const incident = incidents.find((one) => one.site === site && one.phase === 'open');
    expect({ seed, site, did: incident?.did.includes('-') }).toEqual({ seed, site, did: false });
  }
}

/** How often a site was taken out. */
async function failoversOf(seed: number): Promise<number> {
  const chance = chanceOf(seed);
  const { requestHandler, close } = requestsInTurn(chance);
  const world = await monitorWorld({ requestHandler });
  const takenOut: Counts = {};
  const trial: Trial = {
    world,
    chance,
    cut: [new Set(), new Set()],
    lost: {},
    opened: {},
    takenOut,
    letIn: {},
    looking: [],
    isStalled: false,
  };
  try {
    await run(trial, seed);
    await settled(trial, seed);
  } finally {
    close();
    await world.server.close();
  }
  return Object.values(takenOut).reduce((sum, count) => sum + count, 0);
}

describe('two monitors', () => {
  it('take a site out once for each time that it is lost, whatever order they act in and whoever dies', async () => {
    const given = process.env['SEED'];
    const first = given === undefined ? Math.floor(Math.random() * 1e6) : Number(given);
    const seeds = given === undefined ? 8 : Number(process.env['SEEDS'] ?? 1);
    console.info(`two monitors: SEED=${first}, and ${seeds - 1} more`);
    let failovers = 0;
    for (let seed = first; seed < first + seeds; seed += 1) failovers += await failoversOf(seed);
    if (seeds > 1) expect(failovers).toBeGreaterThan(0);
  });

  // A runbook's number of samples was not read under the name that the decision knows, so nothing was ever done.
  it('take out a site that is lost for good (seed 219922)', async () => {
    expect(await failoversOf(219_922)).toBeGreaterThan(0);
  });
});
