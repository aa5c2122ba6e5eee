/** Schedules that random ones do not meet, each with the outcome that it must have. */
import { describe, expect, test } from '@jest/globals';
import { eventBytesMax, sweepTickMs } from '@tandem-clouds/replication/bounds';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { submit } from '../../src/simulator/client.ts';
import { NO_FAULTS } from '../../src/simulator/faults.ts';
import { decideOn, type Intent } from '../../src/simulator/intents.ts';
import { playSchedule } from '../../src/simulator/schedule.ts';
import type { World } from '../../src/simulator/world.ts';

const KEY = 'user:a';
const DAY_MS = 24 * 3_600_000;
/** How much slower than in production sites sweep for months in which nothing else happens. */
const HOURLY = 3_600_000 / sweepTickMs;
/** Almost all that one of two sites may write. */
const LARGE = 'x'.repeat(eventBytesMax * 0.49);

class Directed {
  readonly world: World;
  #count = 0;

  constructor(world: World) {
    this.world = world;
  }

  at(atMs: number, act: () => void): void {
    this.world.agenda.at(atMs, act);
  }

  write(atMs: number, site: string, intents: Readonly<Record<string, Intent>>, key = KEY): void {
    this.#count += 1;
    const id = `op${this.#count}`;
    const rule = (basis: StoredRecord | undefined) => decideOn(basis, intents);
    this.at(atMs, () =>
      submit(this.world, this.world.site(site), { key, id, rule, expectNew: false, creates: false }, 1),
    );
  }

  held(site: string, key = KEY): StoredRecord | undefined {
    return this.world.site(site).store.records.get(key);
  }
}

/** Two sites without faults but those that the script makes. */
function play(lastsMs: number, script: (directed: Directed) => void, slowness = 1): Directed {
  let directed: Directed | undefined;
  playSchedule({
    seed: 1,
    sites: 2,
    faults: NO_FAULTS,
    script: {
      lastsMs,
      slowness,
      enter: (world) => {
        directed = new Directed(world);
        script(directed);
      },
    },
  });
  if (directed === undefined) throw new Error('the script was not entered');
  return directed;
}

const set = (field: string, value: string): Readonly<Record<string, Intent>> => ({
  [field]: { kind: 'write', value },
});
const count = (by: number): Readonly<Record<string, Intent>> => ({ visits: { kind: 'increment', by } });
const invariants = ({ world }: Directed): string[] => [
  ...new Set(world.findings.map(({ invariant }) => invariant)),
];

describe('a peer that returns after longer than the tombstone horizon', () => {
  /** Azure goes out of service with a message in its inbound queue, for 31 days. */
  const stall = (directed: Directed): void => {
    const azure = directed.world.site('azure-1');
    directed.write(60_000, 'aws-1', set('name', 'late'));
    for (let ms = 60_000; ms < 61_000; ms += 1) {
      directed.at(ms, () => {
        if (azure.inbox.messages.size > 0) azure.outages = 1;
      });
    }
  };

  test('refuses what is about an absent key, and says that the site must be rebuilt', () => {
    const directed = play(31 * DAY_MS, stall, HOURLY);
    const [refused] = directed.world.messages.filter(({ kind, end }) => kind === 'in' && end === 'dead');
    expect(new Set(refused?.reasons)).toEqual(new Set(['beyond_horizon']));
    expect(directed.held('azure-1')).toBeUndefined();
    expect(directed.held('aws-1')?.pending).toEqual({});
    expect(invariants(directed)).toEqual(['1 convergence', '2 values', '12 messages']);
  });

  test('takes what is about a key that it holds', () => {
    const early = (script: Directed): void => {
      script.write(1_000, 'azure-1', set('name', 'early'));
      stall(script);
    };
    const directed = play(31 * DAY_MS, early, HOURLY);
    expect(directed.world.findings).toEqual([]);
    expect(directed.held('azure-1')?.state.fields['name']?.[1]).toBe('late');
  });
});

describe('a record that two concurrent writes make larger than a message', () => {
  const grow = (directed: Directed): void => {
    directed.write(1_000, 'aws-1', set('name', 'short'));
    directed.write(3_000, 'aws-1', set('name', LARGE));
    directed.write(3_000, 'azure-1', set('email', LARGE));
  };
  const shown = (directed: Directed, field: string) => directed.held('aws-1')?.state.fields[field]?.[1];

  test('is held by both when each write crosses as it was', () => {
    const directed = play(60_000, grow);
    expect(directed.world.findings).toEqual([]);
    expect(shown(directed, 'name')).toBe(LARGE);
    expect(shown(directed, 'email')).toBe(LARGE);
  });

  test('takes no write that leaves it too large, and takes one that makes it smaller', () => {
    const directed = play(60_000, (script) => {
      grow(script);
      script.write(30_000, 'aws-1', set('price', '1'));
      script.write(40_000, 'azure-1', set('email', 'short'));
    });
    expect(directed.world.findings).toEqual([]);
    expect(shown(directed, 'price')).toBeUndefined();
    expect(shown(directed, 'email')).toBe('short');
  });

  test('crosses after a partition too, because each site keeps to its share of a message', () => {
    const directed = play(200_000, (script) => {
      const { cuts } = script.world;
      grow(script);
      script.at(2_000, () => cuts.add('aws-1>azure-1').add('azure-1>aws-1'));
      script.at(150_000, () => {
        cuts.clear();
      });
    });
    expect(directed.world.findings).toEqual([]);
    expect(shown(directed, 'name')).toBe(LARGE);
    expect(directed.held('azure-1')?.pending).toEqual({});
  });
});

test('a hot key that both sites write hundreds of times ends the same at both, with no more conflicts than losers', () => {
  const directed = play(120_000, (script) => {
    for (let index = 0; index < 400; index += 1) {
      for (const site of ['aws-1', 'azure-1']) {
        const intents = index % 2 === 0 ? set('name', `${site} ${index}`) : count(1);
        script.write(1_000 + index * 100, site, intents);
      }
    }
  });
  const { committed, findings } = directed.world;
  expect(findings).toEqual([]);
  const counted = committed.filter(({ meant }) => meant?.['visits'] !== undefined).length;
  const { counters = {} } = directed.held('azure-1')?.state ?? {};
  const sums = Object.values(counters['visits'] ?? {}).map(([, sum]) => Number(sum));
  expect(counted).toBeGreaterThan(350);
  expect(sums.reduce((a, b) => a + b, 0)).toBe(counted);
  const entries = [...directed.world.site('aws-1').store.records.keys()].filter((key) =>
    key.startsWith('conflict:'),
  );
  expect(entries.length).toBeGreaterThan(0);
  expect(entries.length).toBeLessThan(committed.length - counted);
});

describe('a site that comes back from a backup under its own id', () => {
  /** Three increments before the backup, and two after it that the peer has too. */
  const restored = (after: (directed: Directed) => void): Directed =>
    play(120_000, (script) => {
      let backup: ReadonlyMap<string, StoredRecord> = new Map();
      script.write(1_000, 'aws-1', count(3));
      script.at(10_000, () => {
        backup = new Map(script.world.site('aws-1').store.records);
      });
      script.write(20_000, 'aws-1', count(2));
      script.at(40_000, () => script.world.site('aws-1').store.restore(backup));
      after(script);
    });

  test('does not learn again what it and its peers had acknowledged: only comparing finds that', () => {
    const directed = restored(() => undefined);
    expect(invariants(directed)).toEqual(['1 convergence', '2 values']);
    expect(directed.held('azure-1')?.state.counters?.['visits']?.['aws-1']?.[1]).toBe(5);
  });

  test('takes back at its peers what was safe there, with its next write: so it must come back under a new id', () => {
    const directed = restored((script) => script.write(60_000, 'aws-1', count(1)));
    expect(invariants(directed)).toContain('2 values');
    expect(directed.held('azure-1')?.state.counters?.['visits']?.['aws-1']?.[1]).toBe(4);
  });
});

describe('a partition of one hour', () => {
  const KEYS = 300;
  const HOUR_MS = 3_600_000;
  /** When every marker for the other site was gone, in milliseconds after the partition. */
  let healedMs: number | undefined;

  /** Writes distinct keys at both sites for an hour, while nothing crosses; then goes on writing. */
  const cut = (script: Directed): void => {
    const { world } = script;
    script.at(60_000, () => world.cuts.add('aws-1>azure-1').add('azure-1>aws-1'));
    for (let index = 0; index < KEYS; index += 1) {
      const atMs = 61_000 + (index * HOUR_MS) / KEYS;
      script.write(atMs, index % 2 === 0 ? 'aws-1' : 'azure-1', set('name', `n${index}`), `user:${index}`);
    }
    for (let index = 0; index < 60; index += 1) {
      const site = index % 2 === 0 ? 'aws-1' : 'azure-1';
      script.write(60_000 + HOUR_MS + index * 1_000, site, set('name', 'live'), `user:live${index}`);
    }
    script.at(60_000 + HOUR_MS, () => world.cuts.clear());
    healedMs = undefined;
    for (let ms = 0; ms < 120_000; ms += 500) {
      script.at(60_000 + HOUR_MS + ms, () => {
        const isOpen = world.sites.some((site) =>
          [...site.store.records].some(
            ([key, { pending }]) => !key.includes('live') && Object.keys(pending).length > 0,
          ),
        );
        if (!isOpen) healedMs ??= ms;
      });
    }
  };

  test('is healed as soon as the services let it, in packs, and nothing is dead-lettered', () => {
    const directed = play(HOUR_MS + 240_000, cut);
    const { world } = directed;
    expect(world.findings).toEqual([]);
    // The first tick after the partition, and what the messages on their way take.
    expect(healedMs).toBeLessThan(15_000);
    expect(world.messages.filter(({ end }) => end === 'dead')).toEqual([]);
    for (const name of ['aws-1', 'azure-1'])
      expect(
        [...world.site(name).store.records.keys()].filter((key) => key.startsWith('user:')),
      ).toHaveLength(KEYS + 60);
    // The backlog went beside the inbound queues, which live writes and heartbeats go through.
    const after = world.messages.filter(({ kind, key }) => kind === 'in' && /^user:\d/.test(key ?? ''));
    expect(after.length).toBeLessThan(KEYS / 10);
  });
});
