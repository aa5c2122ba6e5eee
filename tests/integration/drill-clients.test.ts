/** The clients and the watch of a drill against the real DNS server, with two small sites of which one is killed. */
import { Resolver } from 'node:dns/promises';
import { expect, test } from '@jest/globals';
import { startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { resultOf } from '@tandem-clouds/testkit/drill/result';
import { watch } from '@tandem-clouds/testkit/drill/watch';
import { tokenText } from '@tandem-clouds/testkit/history/client-log';
import {
  type Call,
  type DnsAnswer,
  type HealthChange,
  isError,
} from '@tandem-clouds/testkit/history/observed';
import { type Resolved, runLoad } from '@tandem-clouds/testkit/load/load-generator';
import { openSiteEndpoints } from '@tandem-clouds/testkit/load/site-endpoints';
import { Random } from '@tandem-clouds/testkit/random';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { API, checkOf, routed, target, ZONE } from '../helpers/dns-zone.ts';
import { startOrigin, type TestOrigin } from '../helpers/origin.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const TTL_SECONDS = 1;
/** Also the bound of a check's answer: a busy machine must not seem ill. */
const INTERVAL_SECONDS = 0.4;
const SIZES = { 'honours TTL': 8, 'ignores TTL': 8, 'fails over': 4 };
const [A, B] = [
  { site: 'aws-us-east-1', address: '127.0.0.2' },
  { site: 'azure-eastus', address: '127.0.0.3' },
];

const onEnd = closeAfterEach();

/** Takes every write, and shows it to every read. */
async function startSite(site: string): Promise<TestOrigin> {
  const origin = await startOrigin(site);
  onEnd(() => origin.kill());
  let count = 0;
  origin.handle = (request, response) => {
    count += 1;
    const token = tokenText({ key: `user:${site}-${count}`, vector: { [site]: `${count}.${site}` } });
    const headers = {
      'x-tandem-site': site,
      ...(request.method === 'POST' && { 'x-tandem-session': token }),
      ...(request.headers['prefer'] !== undefined && { 'preference-applied': 'durability=all' }),
    };
    response.writeHead(request.method === 'POST' ? 201 : 200, headers).end(`{"id":"${site}-${count}"}`);
  };
  return origin;
}

async function startDrill(a: TestOrigin, b: TestOrigin) {
  const targets = [a, b].map((origin, index) =>
    target(origin.site, [A, B][index]?.address ?? '', {
      weight: 1,
      check: checkOf(origin, { intervalSeconds: INTERVAL_SECONDS }),
    }),
  );
  let turn = 0;
  const server = await startDnsServer({
    // By turns: those who keep their first answer for ever must not all have the same one.
    random: () => (turn++ % 2) / 2,
    zone: { zone: ZONE, records: [routed('weighted', targets, { ttlSeconds: TTL_SECONDS })] },
  });
  onEnd(() => server.close());
  const siteEndpoints = await openSiteEndpoints([
    { ...A, port: Number(a.url.port) },
    { ...B, port: Number(b.url.port) },
  ]);
  onEnd(() => siteEndpoints.close());
  const resolve = async (): Promise<Resolved> => {
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${server.port}`]);
    const [response] = await resolver.resolve4(API, { ttl: true });
    return { address: response?.address ?? '', ttlSeconds: response?.ttl ?? 0 };
  };
  return { controlUrl: server.controlUrl, endpoints: siteEndpoints.endpoints, resolve };
}

test('clients that honour the TTL leave a lost site within checks and TTL, the others stay until it is back', async () => {
  const [a, b] = [await startSite(A.site), await startSite(B.site)];
  const { controlUrl, endpoints, resolve } = await startDrill(a, b);
  const [calls, responses, health]: [Call[], DnsAnswer[], HealthChange[]] = [[], [], []];
  const stop = new AbortController();
  onEnd(() => stop.abort());
  const sites = new Map([a, b].map(({ site, url }) => [site, url.origin]));
  const working = Promise.all([
    runLoad(
      {
        sizes: SIZES,
        periodMs: 30,
        joinWithinMs: TTL_SECONDS * 1_000,
        random: new Random(1),
        resolve,
        endpoints,
        calls,
        responses,
      },
      stop.signal,
    ),
    watch({ resolve, endpoints, controlUrl, sites, responses, health, samples: [] }, stop.signal),
  ]);
  const beganMs = Date.now();
  const since = (ms: number, group: string) =>
    calls.filter((call) => call.startMs >= ms && call.group === group);
  await waitUntil('clients of every kind at both sites', () => {
    const held = new Set(calls.map(({ via, group }) => `${via} ${group}`));
    return held.size === 6 ? true : undefined;
  });

  const cutMs = Date.now();
  await a.kill();
  await waitUntil('nobody who honours the TTL at the lost site', () => {
    const last = since(Date.now() - 2 * TTL_SECONDS * 1_000, 'honours TTL');
    return Date.now() - cutMs > 3_000 && last.length > 0 && !last.some(isError) ? true : undefined;
  });
  const backMs = Date.now();
  await a.revive();
  await waitUntil('the site to be used again', () =>
    since(backMs, 'honours TTL').some(({ site }) => site === A.site) ? true : undefined,
  );
  stop.abort();
  await working;

  const result = resultOf({
    ...{ drill: 'aws-lost', victim: A.site, survivor: B.site, beganMs, cutMs, backMs, endMs: Date.now() },
    ...{ servesMs: backMs, convergedMs: backMs, calls, responses, health, findings: [] },
    ...{ atRisk: [], atRiskAtCut: [], waitingAtReturn: undefined, stayedBehind: 0, stillBehind: 0 },
  });
  const { detected = Infinity, redirected = Infinity, lastError = Infinity, allServed } = result.moments;
  expect(detected).toBeLessThanOrEqual(redirected);
  // Whoever still failed went by an answer from before the redirection, and no longer than its TTL.
  const failed = since(cutMs, 'honours TTL').filter(({ via, ...call }) => via === A.site && isError(call));
  expect(failed.length).toBeGreaterThan(0);
  for (const { startMs, resolvedAtMs } of failed) {
    expect(resolvedAtMs - cutMs).toBeLessThanOrEqual(redirected);
    expect(startMs - resolvedAtMs).toBeLessThan(TTL_SECONDS * 1_000 + 100);
  }
  // Those who know both sites go to the other one by themselves.
  const failing = since(beganMs, 'fails over').filter(isError);
  expect(failing).toEqual([]);
  expect(since(cutMs, 'fails over').length).toBeGreaterThan(10);
  expect(allServed).toBeDefined();
  expect(result.afterRedirect.requests).toBeGreaterThan(10);
  expect(result.afterRedirect.errors).toBe(0);
  const [honouring, ignoring] = result.groups;
  expect(honouring?.lastErrorMs).toBe(lastError);
  expect(ignoring?.lastErrorMs).toBeGreaterThan(lastError);
  // What was not acknowledged at the lost site was tried again, with its key, until it was.
  const open = new Set(calls.filter(({ kind }) => kind !== 'read').map(({ id }) => id));
  for (const { id, result: came } of calls) if (came === 'acknowledged') open.delete(id);
  expect(open.size).toBeLessThanOrEqual(Object.values(SIZES).reduce((a, b) => a + b));
  expect(calls.some(({ kind }) => kind === 'read')).toBe(true);
});

test('an address that is none of this machine is named, with what to do', async () => {
  const sites = [{ site: A.site, address: '192.0.2.1', port: 1 }];
  await expect(openSiteEndpoints(sites)).rejects.toThrow(/sudo ifconfig lo0 alias 192\.0\.2\.1 up/);
});
