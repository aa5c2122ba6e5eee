/** What a drill's observations mean. */
import { describe, expect, test } from '@jest/globals';
import { chartOf } from '../../src/drill/chart.ts';
import { figuresOf, holds } from '../../src/drill/figures.ts';
import { pageOf, reportOf } from '../../src/drill/report.ts';
import { resultOf } from '../../src/drill/result.ts';
import { secondsOf } from '../../src/drill/series.ts';
import { type Call, isError, type Observed } from '../../src/history/observed.ts';

const [A, B] = ['aws-us-east-1', 'azure-eastus'];
const CUT = 100_000;
const SETTINGS = {
  seed: 1,
  clients: 3,
  failoverClients: 2,
  periodMs: 500,
  ttlSeconds: 10,
  checkIntervalSeconds: 10,
  failureThreshold: 2,
};

let count = 0;

/** A good request that took 10 ms, at so many seconds after the cut. */
function call(atS: number, via: string, more: Partial<Call> = {}): Call {
  count += 1;
  const endMs = CUT + atS * 1_000;
  return {
    id: `op${count}`,
    kind: 'create',
    key: `user:${count}`,
    client: 'h1',
    group: 'honours TTL',
    via,
    site: via,
    startMs: endMs - 10,
    endMs,
    resolvedAtMs: endMs - 1_000,
    result: 'acknowledged',
    status: 201,
    fields: {},
    replayed: false,
    ...more,
  };
}

/** One that failed, with an answer of DNS from before the cut. */
function failed(atS: number, via: string, more: Partial<Call> = {}): Call {
  const { site: _site, ...rest } = call(atS, via, more);
  return {
    ...rest,
    resolvedAtMs: CUT - 1_000,
    result: 'unknown',
    status: 0,
    problem: 'ECONNRESET',
    ...more,
  };
}

/** h1 is on A when it is cut and on B from 21 s; h2 is on B all the time; i1 stays on A. */
function seen(more: Partial<Observed> = {}): Observed {
  const at = (atS: number): number => CUT + atS * 1_000;
  return {
    drill: 'aws-lost',
    victim: A,
    survivor: B,
    beganMs: at(-5),
    cutMs: CUT,
    backMs: at(60),
    endMs: at(100),
    servesMs: at(70),
    convergedMs: at(72),
    calls: [
      call(-1, A),
      call(-1, B, { client: 'h2' }),
      failed(1, A),
      call(1.2, B, { client: 'h2' }),
      failed(20, A),
      call(21, B),
      failed(59, A, { client: 'i1', group: 'ignores TTL' }),
      call(61, B),
      call(90, A, { kind: 'read', status: 404 }),
    ],
    responses: [
      { atMs: at(-1), site: A },
      { atMs: at(2), site: B },
      { atMs: at(12), site: A },
      { atMs: at(15), site: B },
      { atMs: at(80), site: B },
      { atMs: at(85), site: A },
    ],
    health: [
      { atMs: at(-50), site: A, healthy: true },
      { atMs: at(14), site: A, healthy: false },
      { atMs: at(84), site: A, healthy: true },
    ],
    atRisk: [],
    atRiskAtCut: [{ origin: A, peer: B, atMs: at(-0.2), keys: 3, atLeast: false }],
    waitingAtReturn: { origin: B, peer: A, atMs: at(59.9), keys: 1_000, atLeast: true },
    stayedBehind: 2,
    stillBehind: 0,
    findings: [],
    ...more,
  };
}

const passes = (observed: Observed): boolean => holds(figuresOf(observed, resultOf(observed)));

describe('the moments', () => {
  test('are those of the clients that honour the TTL, of DNS, and of the return', () => {
    expect(resultOf(seen()).moments).toEqual({
      detected: 14_000,
      redirected: 15_000,
      firstGood: 21_000,
      lastError: 20_000,
      allServed: 21_000,
      back: 60_000,
      serves: 70_000,
      converged: 72_000,
      inRotation: 85_000,
    });
  });

  test('an answer that leads elsewhere by chance is no redirect yet', () => {
    const { responses } = seen();
    const late = [...responses, { atMs: CUT + 30_000, site: A }, { atMs: CUT + 31_000, site: B }];
    expect(resultOf(seen({ responses: late })).moments.redirected).toBe(31_000);
  });

  test('answers that lead elsewhere before the health check has given up are chance', () => {
    const responses = seen().responses.filter(({ atMs }) => atMs !== CUT + 12_000);
    expect(resultOf(seen({ responses })).moments.redirected).toBe(15_000);
  });

  test('without an error nobody had to wait', () => {
    const calls = seen().calls.filter((one) => !isError(one));
    expect(resultOf(seen({ calls })).moments).toMatchObject({ lastError: 0, allServed: 0 });
  });

  test('a client that was never served again is not passed over', () => {
    const calls = [...seen().calls, failed(25, A, { client: 'h3' })];
    expect(resultOf(seen({ calls })).moments).toMatchObject({ lastError: 25_000, allServed: undefined });
  });
});

test('errors are counted by group and by kind, with the first and the last', () => {
  const calls = [...seen().calls, failed(3, A, { status: 503 })];
  expect(resultOf(seen({ calls })).groups).toEqual([
    { group: 'honours TTL', clients: 2, requests: 9, errors: { ECONNRESET: 2, 'HTTP 503': 1 }, firstErrorMs: 1_000, lastErrorMs: 20_000 }, // prettier-ignore
    { group: 'ignores TTL', clients: 1, requests: 1, errors: { ECONNRESET: 1 }, firstErrorMs: 59_000, lastErrorMs: 59_000 }, // prettier-ignore
    { group: 'fails over', clients: 0, requests: 0, errors: {}, firstErrorMs: undefined, lastErrorMs: undefined }, // prettier-ignore
  ]);
});

test('that a record is not there yet is no error of a read, but one of a write', () => {
  expect(isError({ kind: 'read', status: 404 })).toBe(false);
  expect(isError({ kind: 'create', status: 404 })).toBe(true);
  expect(isError({ kind: 'read', status: 500 })).toBe(true);
  expect(resultOf(seen()).staleReads).toBe(1);
});

describe('the bar', () => {
  test('holds for a drill that went well', () => {
    expect(passes(seen())).toBe(true);
  });

  const calls = (...more: Call[]): Partial<Observed> => ({ calls: [...seen().calls, ...more] });
  test.each([
    [
      'an error a minute after the cut',
      { ...calls(failed(61, A, { resolvedAtMs: CUT })), backMs: CUT + 70_000 },
    ],
    ['an error with an answer from after the redirect', calls(failed(22, B, { resolvedAtMs: CUT + 15_000 }))],
    ['the same after the return', calls(failed(95, A, { resolvedAtMs: CUT + 90_000 }))],
    [
      'an acknowledged write that is lost',
      { findings: [{ invariant: 'acknowledged writes', key: 'user:1', detail: '' }] },
    ],
    ['sites that differ', { findings: [{ invariant: '1 convergence', detail: 'x' }] }],
    ['any other finding', { findings: [{ invariant: '9 sessions', detail: 'x' }] }],
    ['a write that never came back', { stillBehind: 1 }],
    ['a loss that was never detected', { health: [] }],
    ['no convergence', { convergedMs: undefined }],
    [
      'a call of a client with failover that failed',
      calls(failed(1, B, { client: 'f1', group: 'fails over', problem: 'UnavailableError' })),
    ],
    [
      'a creation of which such a client cannot say whether it was done',
      calls(failed(1, A, { client: 'f1', group: 'fails over', outcomeUnknown: true })),
    ],
    [
      'an increment that counted twice',
      {
        ...calls(call(1, B, { client: 'f1', group: 'fails over', kind: 'change', increments: 1 })),
        findings: [{ invariant: 'increments', key: 'user:1', detail: 'x' }],
      },
    ],
    ['no return to rotation', { responses: seen().responses.slice(0, -1) }],
  ])('is broken by %s', (_title, more: Partial<Observed>) => {
    expect(passes(seen(more))).toBe(false);
  });
});

test('an increment of which nobody can say whether it counted is no failure, and is reported by itself', () => {
  const own = { client: 'f1', group: 'fails over', kind: 'change', increments: 1 } as const;
  const calls = [
    ...seen().calls,
    failed(1, A, { ...own, outcomeUnknown: true }),
    call(2, B, { ...own, attempts: 2 }),
    call(3, B, { ...own, kind: 'read', stale: true }),
  ];
  const observed = seen({ calls });
  expect(passes(observed)).toBe(true);
  expect(resultOf(observed).failover).toEqual({
    calls: 3,
    repeated: 1,
    increments: 3,
    outcomesUnknown: 1,
    creationsUnknown: 0,
    stale: 1,
    miscounted: 0,
  });
});

test('seconds are whole ones, and every request is in one of them', () => {
  const seconds = secondsOf(seen());
  expect(seconds).toHaveLength(105);
  expect(seconds[0]?.atS).toBe(-5);
  const of = (atS: number) => seconds.find((second) => second.atS === atS);
  expect(of(-1)?.good).toEqual({ [A]: 1, [B]: 1 });
  expect(of(20)?.errors).toEqual({ 'honours TTL': 1, 'ignores TTL': 0, 'fails over': 0 });
  expect(of(59)?.errors).toEqual({ 'honours TTL': 0, 'ignores TTL': 1, 'fails over': 0 });
});

describe('the report', () => {
  test('the page says the verdict, and what was lost', () => {
    const finding = { invariant: 'acknowledged writes', key: 'user:7', detail: 'is gone' };
    expect(pageOf(reportOf(seen(), SETTINGS), 'x.svg')).toMatch(
      /^# aws-lost, 1970-01-01: passed\n[^]*!\[.*\]\(x\.svg\)/,
    );
    const failure = pageOf(reportOf(seen({ findings: [finding] }), SETTINGS), 'x.svg');
    expect(failure).toMatch(/^# aws-lost, 1970-01-01: FAILED\n/);
    expect(failure).toContain('- acknowledged writes user:7: is gone');
  });

  test('the picture has what sites said is at risk, the most of each second, and none where an older report has none', () => {
    const sample = (atMs: number, origin: string, keys: number) => ({
      ...{ origin, peer: origin === A ? B : A, atMs, keys, atLeast: false },
    });
    const { cutMs } = seen();
    const samples = [sample(cutMs + 100, B, 3), sample(cutMs + 900, B, 7), sample(cutMs + 1_000, A, 2)];
    const { moments, seconds } = reportOf(seen({ atRisk: samples }), SETTINGS);
    const of = (atS: number) => seconds.find((second) => second.atS === atS)?.atRisk;
    expect([of(-1), of(0), of(1)]).toEqual([{}, { [B]: 7 }, { [A]: 2 }]);
    const draw = (all: typeof seconds): string =>
      chartOf({ drill: 'aws-lost', victim: A, survivor: B }, moments, all);
    expect(draw(seconds)).toContain('keys at risk, as each site says of itself');
    const older = seconds.map(({ atRisk: _atRisk, ...second }) => second);
    expect(draw(older).match(/<path /g)).toHaveLength(draw(seconds).match(/<path /g)?.length ?? 0);
    expect(draw(older)).not.toBe(draw(seconds));
  });

  test('the picture marks every moment, and no two labels overlap', () => {
    const { moments, seconds } = reportOf(seen(), SETTINGS);
    const svg = chartOf({ drill: 'aws-lost', victim: A, survivor: B }, moments, seconds);
    const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+ [\d.]+ s)<\/text>/g)];
    expect(labels.map(([, , , reported]) => reported)).toEqual([
      'cut 0.0 s', 'detected 14.0 s', 'redirected 15.0 s', 'last error, TTL honoured 20.0 s', 'first good answer elsewhere 21.0 s',
      'may return 60.0 s', 'ready 70.0 s', 'converged 72.0 s', 'in rotation 85.0 s',
    ]); // prettier-ignore
    const rows = Map.groupBy(labels, ([, , y]) => y);
    for (const row of rows.values()) {
      const ends = row.map(
        ([, x = '', , reported = '']) => [Number(x), Number(x) + reported.length * 5.9] as const,
      );
      for (const [index, [start]] of ends.entries()) expect(start).toBeGreaterThan(ends[index - 1]?.[1] ?? 0);
    }
  });
});
