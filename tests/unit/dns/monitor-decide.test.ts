import { describe, expect, it } from '@jest/globals';
import type { PlainRecord } from '@tandem-clouds/zone/model';
import {
  type Incident,
  incidentsChange,
  incidentsIn,
  type Mark,
  withIncident,
} from '../../../dns/incidents.ts';
import {
  afterTry,
  begun,
  decide,
  type Decided,
  type Memory,
  NO_MEMORY,
  type SiteSample,
} from '../../../dns/monitor/decide.ts';
import type { Runbook } from '../../../dns/monitor/runbook.ts';

const A = 'aws-us-east-1';
const B = 'azure-eastus';
const GAP_MS = 20_000;

const LOST: Runbook = {
  name: 'lost',
  description: 'A site does not answer.',
  trigger: { when: { unhealthy: true }, forSeconds: 20, samples: 3 },
  clear: { forSeconds: 60, maxSeconds: 400 },
  actions: [{ do: 'failover' }, { do: 'notify', to: 'chat' }],
  over: [{ do: 'restore' }],
};
const LAGS: Runbook = {
  ...LOST,
  name: 'lags',
  trigger: { when: { replicationLagMs: 10_000, exposedKeys: 100 }, forSeconds: 20, samples: 3 },
  clear: { forSeconds: 60, maxSeconds: 400, when: { replicationLagMs: 5_000 } },
  actions: [{ do: 'notify', to: 'chat' }],
  over: [],
};

/** Seconds into the test → what each site was like; null: not looked at. */
type Script = readonly [seconds: number, a: boolean | null, b?: boolean | null][];

interface World {
  readonly runbook?: Runbook;
  readonly incidents?: readonly Incident[];
  readonly provider?: Readonly<Record<string, boolean>>;
}

function play(script: Script, { runbook = LOST, incidents = [], provider = {} }: World = {}): Decided {
  let memory: Memory = NO_MEMORY;
  let last: Decided | undefined;
  for (const [seconds, a, b = true] of script) {
    const samples = [
      ...(a === null ? [] : [{ site: A, up: a }]),
      ...(b === null ? [] : [{ site: B, up: b }]),
    ];
    last = one(memory, { seconds, samples, runbook, incidents, provider });
    ({ memory } = last);
  }
  return last!;
}

interface One extends World {
  readonly seconds: number;
  readonly samples: readonly SiteSample[];
}

function one(
  memory: Memory,
  { seconds, samples, runbook = LOST, incidents = [], provider = {} }: One,
): Decided {
  const seen = {
    nowMs: seconds * 1000,
    samples,
    incidents,
    provider: new Map(Object.entries(provider)),
  };
  return decide(memory, seen, [{ runbook, sites: [A, B] }], GAP_MS);
}

const kinds = ({ decisions }: Decided): string[] => decisions.map(({ kind, site }) => `${kind} ${site}`);

function open(more: Partial<Incident> = {}): Incident {
  const marks: Mark[] = ['x', 'x'];
  const times = { openedAtMs: 0, changedAtMs: 0 };
  return { runbook: 'lost', site: A, phase: 'open', ...times, flaps: 0, did: marks, undid: [], ...more };
}

describe('when a runbook begins', () => {
  const DOWN: Script = [
    [0, false],
    [10, false],
    [20, false],
  ];
  it.each<[title: string, script: Script, world: World, expected: string[]]>([
    ['a site is down for long enough', DOWN, {}, [`open ${A}`]],
    ['one look is not enough', [[0, false]], {}, []],
    [
      'long enough, but seen too rarely',
      [
        [0, false],
        [20, false],
      ],
      {},
      [],
    ],
    [
      'often enough, but not for long',
      [
        [0, false],
        [1, false],
        [2, false],
        [3, false],
      ],
      {},
      [],
    ],
    [
      'it answers in between',
      [
        [0, false],
        [10, true],
        [20, false],
        [30, false],
      ],
      {},
      [],
    ],
    [
      'one look is missing',
      [
        [0, false],
        [10, null],
        [15, false],
        [20, false],
      ],
      {},
      [`open ${A}`],
    ],
    [
      'nothing was seen for a long time',
      [
        [0, false],
        [10, false],
        [40, false],
      ],
      {},
      [],
    ],
    [
      'the clock goes back',
      [
        [100, false],
        [110, false],
        [5, false],
        [20, false],
      ],
      {},
      [],
    ],
    [
      'the clock went back, and it stays down',
      [
        [100, false],
        [5, false],
        [15, false],
        [25, false],
      ],
      {},
      [`open ${A}`],
    ],
    ['the provider agrees', DOWN, { provider: { [A]: false } }, [`open ${A}`]],
    ['the provider finds it healthy', DOWN, { provider: { [A]: true } }, []],
    [
      'both are down',
      [
        [0, false, false],
        [10, false, false],
        [20, false, false],
      ],
      {},
      [`open ${A}`, `open ${B}`],
    ],
    ['it is being handled', DOWN, { incidents: [open()] }, []],
    ['it was over', DOWN, { incidents: [open({ phase: 'closed' })] }, [`open ${A}`]],
    ['it comes back on the way back', DOWN, { incidents: [open({ phase: 'over' })] }, [`open ${A}`]],
  ])('%s', (_title, script, world, expected) => {
    expect(kinds(play(script, world))).toEqual(expected);
  });

  it('says that it has not made up its mind, so that a round goes on', () => {
    expect(play([[0, false]]).pending).toBe(true);
    expect(play([[0, true]]).pending).toBe(false);
    expect(play(DOWN).pending).toBe(false);
  });

  it('says whose word was against it', () => {
    expect(play(DOWN, { provider: { [A]: true } }).disagreed).toEqual(new Map([[A, true]]));
  });
});

describe('when it is over', () => {
  const up = (seconds: number, from = 0): Script =>
    Array.from({ length: seconds / 10 + 1 }, (_sample, index) => [from + index * 10, true]);
  it.each<[title: string, script: Script, world: World, expected: string[]]>([
    ['it is well for long enough', up(60), { incidents: [open()] }, [`close ${A}`]],
    ['not yet', up(50), { incidents: [open()] }, []],
    ['twice as long after it flapped', up(110), { incidents: [open({ flaps: 1 })] }, []],
    ['but then', up(120), { incidents: [open({ flaps: 1 })] }, [`close ${A}`]],
    ['never longer than the longest', up(400), { incidents: [open({ flaps: 9 })] }, [`close ${A}`]],
    ['not when it has only just begun', up(60), { incidents: [open({ changedAtMs: 30_000 })] }, []],
    [
      "when the other monitor's clock is ahead",
      up(60),
      { incidents: [open({ changedAtMs: 9e6 })] },
      [`close ${A}`],
    ],
    [
      'not while the provider finds it unhealthy',
      up(60),
      { incidents: [open()], provider: { [A]: false } },
      [],
    ],
    [
      'at once when nobody else is left',
      [
        [0, true, false],
        [10, true, false],
        [15, true, false],
      ],
      { incidents: [open()] },
      [`close ${A}`],
    ],
    [
      'not at once when no monitor took it out',
      [
        [0, true, false],
        [10, true, false],
        [15, true, false],
      ],
      { incidents: [open({ did: ['s', 'x'] })] },
      [],
    ],
    [
      'what is left to do is done before',
      [[0, false]],
      { incidents: [open({ did: ['x', '-'] })] },
      [`continue ${A}`],
    ],
    [
      'what the runbook does besides is done as well',
      [[0, false]],
      { incidents: [open({ did: ['x'] })] },
      [`continue ${A}`],
    ],
    [
      'and what is left of the way back',
      [[0, true]],
      { incidents: [open({ phase: 'over' })] },
      [`continue ${A}`],
    ],
  ])('%s', (_title, script, world, expected) => {
    expect(kinds(play(script, world))).toEqual(expected);
  });
});

describe('figures', () => {
  const sample = (replicationLagMs?: number, exposedKeys?: number): SiteSample => ({
    site: A,
    up: true,
    ...(replicationLagMs !== undefined && { replicationLagMs }),
    ...(exposedKeys !== undefined && { exposedKeys }),
  });
  const after = (samples: readonly SiteSample[], incidents: readonly Incident[] = []): string[] => {
    let memory = NO_MEMORY;
    let decided: Decided | undefined;
    for (const [index, seen] of samples.entries()) {
      decided = one(memory, { seconds: index * 10, samples: [seen], runbook: LAGS, incidents });
      ({ memory } = decided);
    }
    return kinds(decided!);
  };
  const times = (count: number, seen: SiteSample): SiteSample[] => Array.from({ length: count }, () => seen);

  it.each([
    ['one of them is over its limit', times(3, sample(0, 101)), [`open ${A}`]],
    ['one is, and the other is not known', times(3, sample(10_001)), [`open ${A}`]],
    ['none is', times(3, sample(10_000, 100)), []],
    ['none is known', times(3, sample()), []],
  ])('begins when %s', (_title, samples, expected) => {
    expect(after(samples)).toEqual(expected);
  });

  const incident = open({ runbook: 'lags', did: ['x'] });
  it.each([
    ['all are below where it ends', times(7, sample(5_000, 100)), [`close ${A}`]],
    ['one hovers between', times(7, sample(7_000, 100)), []],
    ['one is not known', times(7, sample(5_000)), []],
  ])('is over when %s', (_title, samples, expected) => {
    expect(after(samples, [incident])).toEqual(expected);
  });
});

describe('repeating what failed', () => {
  const incidents = [open({ did: ['-', 'x'] })];
  const at = (memory: Memory, seconds: number): string[] =>
    kinds(one(memory, { seconds, samples: [{ site: A, up: false }], incidents }));

  it('waits longer each time, five minutes at most', () => {
    let memory = NO_MEMORY;
    const pauses: number[] = [];
    let seconds = 0;
    for (let tries = 0; tries < 8; tries += 1) {
      memory = afterTry(memory, `lost/${A}`, { result: 'failed', nowMs: seconds * 1000 });
      const from = seconds;
      while (at(memory, seconds).length === 0) seconds += 1;
      pauses.push(seconds - from);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('does not wait for a time that a clock will not see again', () => {
    const memory = afterTry(NO_MEMORY, `lost/${A}`, { result: 'failed', nowMs: 9e9 });
    expect(at(memory, 0)).toEqual([`continue ${A}`]);
  });
});

describe('two who decide the same', () => {
  const [first] = play([
    [0, false],
    [10, false],
    [20, false],
  ]).decisions;

  it('only the first of them begins', () => {
    const incident = begun(first!, undefined, 20_500);
    expect(incident).toMatchObject({ phase: 'open', openedAtMs: 20_000, flaps: 0 });
    expect(begun(first!, incident, 21_000)).toBeUndefined();
  });

  it.each([
    ['soon', 399, 4],
    ['after a long time', 401, 0],
    ['by a clock that went back', -500, 4],
  ])('counts as flapping what comes back %s', (_title, seconds, flaps) => {
    const seen = open({ phase: 'closed', flaps: 3, changedAtMs: 1e6 });
    expect(begun({ ...first!, seen }, seen, 1e6 + seconds * 1000)).toMatchObject({ flaps });
  });
});

describe('what the zone says of incidents', () => {
  it('reads what it writes, beside what it does not know', () => {
    const incidents = withIncident([open()], open({ site: B, phase: 'over', flaps: 12, undid: ['s', '-'] }));
    const change = incidentsChange([], incidents, 'example.com');
    expect(incidentsIn([change!.after!], 'example.com')).toEqual(incidents);
    const after = change!.after as PlainRecord;
    const text = after.values[0]!.replace('tandem1 ', 'tandem1 something-else x,y ');
    const odd: PlainRecord = { ...after, values: [text] };
    expect(incidentsIn([odd], 'example.com')).toEqual(incidents);
    expect(incidentsChange([change!.after!], incidents, 'example.com')).toBeUndefined();
  });

  it('keeps what is open and forgets what ended long ago, within the bounds of a record', () => {
    const many = Array.from({ length: 40 }, (_incident, index) =>
      open({
        site: `${'s'.repeat(60)}${index}`,
        phase: index === 0 ? 'open' : 'closed',
        changedAtMs: index * 1000,
      }),
    );
    const kept = many.reduce<readonly Incident[]>((all, next) => withIncident(all, next), []);
    expect(kept).toHaveLength(20);
    expect(kept).toContainEqual(many[0]);
    expect(kept).toContainEqual(many[39]);
    const { after } = incidentsChange([], kept, 'example.com')!;
    expect((after as PlainRecord).values[0]!.length).toBeLessThan(4_000);
  });
});

describe('errors of a hundred requests rather than of five', () => {
  const DEGRADED: Runbook = {
    ...LOST,
    name: 'degraded',
    trigger: { when: { errorPercent: 5 }, forSeconds: 300, samples: 5 },
    clear: { forSeconds: 60, maxSeconds: 400, when: { errorPercent: 1 } },
  };
  /** A look every ten seconds; every so often one of its five requests fails. @returns Seconds at which it began. */
  function beginsAt(failingEvery: number, { down = [] as readonly number[] } = {}): number | undefined {
    let memory: Memory = NO_MEMORY;
    for (let seconds = 0; seconds <= 900; seconds += 10) {
      const errorPercent = (seconds / 10) % failingEvery === 0 ? 20 : 0;
      const sample = down.includes(seconds) ? { site: A, up: false } : { site: A, up: true, errorPercent };
      const decided = one(memory, {
        ...{ seconds, runbook: DEGRADED },
        samples: [sample, { site: B, up: true, errorPercent: 0 }],
      });
      if (kinds(decided).includes(`open ${A}`)) return seconds;
      ({ memory } = decided);
    }
    return undefined;
  }

  it('begins although most looks find none, once five percent of five minutes have failed', () => {
    expect(beginsAt(3)).toBe(300);
    expect(beginsAt(1)).toBe(300);
  });

  it('does not begin by fewer, however long', () => {
    expect(beginsAt(5)).toBeUndefined();
  });

  it('leaves a look that got no answer at all to the runbooks about that', () => {
    expect(beginsAt(5, { down: [100, 110, 120, 130] })).toBeUndefined();
    expect(beginsAt(3, { down: [300] })).toBe(310);
  });

  it('is over when the last minutes were well', () => {
    let memory: Memory = NO_MEMORY;
    let closedAt: number | undefined;
    const incidents = [open({ runbook: 'degraded' })];
    for (let seconds = 0; seconds <= 900 && closedAt === undefined; seconds += 10) {
      const errorPercent = seconds <= 300 ? 20 : 0;
      const decided = one(memory, {
        ...{ seconds, runbook: DEGRADED, incidents },
        samples: [
          { site: A, up: true, errorPercent },
          { site: B, up: true, errorPercent: 0 },
        ],
      });
      if (kinds(decided).includes(`close ${A}`)) closedAt = seconds;
      ({ memory } = decided);
    }
    // One percent of three hundred seconds is left after 290 of them, and then a minute is waited.
    expect(closedAt).toBeGreaterThanOrEqual(640);
    expect(closedAt).toBeLessThanOrEqual(680);
  });
});
