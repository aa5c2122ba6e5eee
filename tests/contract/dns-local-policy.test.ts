/** `npm run tandem -- dns` against the DNS server of a local stack. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type DnsServer, startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { localZone } from '@tandem-clouds/local/dns-zone';
import { defaultPorts } from '@tandem-clouds/local/ports';
import { DEFAULT_SITES, parseSites } from '@tandem-clouds/local/stack/sites';
import { systemClock } from '../../dns/clock.ts';
import type { LocalStack } from '../../dns/command/local-stack.ts';
import { runDns } from '../../dns/command/run.ts';
import { chooseProvider } from '../../dns/providers/choose.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { addressesOf, decode, QTYPE, query, queryUdp } from '../helpers/dns-packets.ts';
import { API } from '../helpers/dns-zone.ts';

const POLICY = path.join(import.meta.dirname, '../../dns/local.policy.yml');
const SITES = parseSites(DEFAULT_SITES);
const PORTS = defaultPorts(SITES);

const onEnd = closeAfterEach();
let server: DnsServer;
let folder: string;

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dns-local-'));
  onEnd(() => fs.rmSync(folder, { recursive: true }));
  const sites = SITES.map(({ site }) => ({ site, port: PORTS.get(site) ?? 0 }));
  server = await startDnsServer({ zone: localZone(sites) });
  onEnd(() => server.close());
});

/** Runs a command; sites answer well, and holding still takes no time. */
async function dns(
  command: string,
  policy = POLICY,
  localStack?: LocalStack,
): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const clock = { now: () => systemClock.now(), sleep: () => Promise.resolve() };
  const args = [...command.split(' '), '--policy', policy];
  if (!/^(plan|apply|status|dump)/.test(command)) args.push('--timeline', path.join(folder, 'timeline.json'));
  const status = await runDns(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour: false,
    signal: new AbortController().signal,
    clock,
    observe: ({ site, requests }) =>
      Promise.resolve({ site, latenciesMs: Array<number>(requests).fill(1), errors: 0, peers: [] }),
    probe: () => Promise.resolve(true),
    ...(localStack && { localStack: () => localStack }),
    providerFor: (choice) =>
      chooseProvider(choice, {
        clock,
        cloudflareToken: undefined,
        localControlUrl: localStack === undefined ? server.controlUrl : undefined,
      }),
  });
  return { status, out, err };
}

function policyFile(text: string): string {
  const file = path.join(folder, 'policy.yml');
  fs.writeFileSync(file, text);
  return file;
}

function edited(from: string, to: string): string {
  const text = fs.readFileSync(POLICY, 'utf8');
  expect(text).toContain(from);
  return policyFile(text.replace(from, to));
}

async function answers(): Promise<string[]> {
  const fetchFrom = async () => addressesOf(decode(await queryUdp(server.port, query(API, QTYPE.A))));
  const seen = new Set((await Promise.all(Array.from({ length: 40 }, fetchFrom))).flat());
  return [...seen].sort();
}

async function isEmptyPlan(policy?: string): Promise<boolean> {
  const { status, out } = await dns('plan --json', policy);
  expect(status).toBe(0);
  return (JSON.parse(out) as { changes: unknown[] }).changes.length === 0;
}

test('the stack begins as its policy says, so the first plan is empty', async () => {
  expect(await isEmptyPlan()).toBe(true);
});

test('what is dumped plans to nothing', async () => {
  const { out } = await dns('dump');
  expect(await isEmptyPlan(policyFile(out))).toBe(true);
});

test('apply does what the plan said, and the next plan is empty', async () => {
  const policy = edited('ttlSeconds: 10', 'ttlSeconds: 20');
  expect(await isEmptyPlan(policy)).toBe(false);
  expect(await dns('apply --yes', policy)).toMatchObject({ status: 0 });
  expect(await isEmptyPlan(policy)).toBe(true);
});

test('a drained site is not answered until it is restored', async () => {
  expect(await answers()).toEqual(['127.0.0.2', '127.0.0.3']);
  expect(await dns('drain aws-us-east-1')).toMatchObject({ status: 0 });
  expect(await answers()).toEqual(['127.0.0.3']);
  expect(await isEmptyPlan()).toBe(true);
  expect(await dns('restore')).toMatchObject({ status: 0 });
  expect(await answers()).toEqual(['127.0.0.2', '127.0.0.3']);
  expect(await isEmptyPlan()).toBe(true);
});

describe('what the server does not support is refused in words', () => {
  const WEIGHTED = 'strategy: weighted';
  test.each([
    ['latency without a region', WEIGHTED, 'strategy: latency', /latency needs a region/],
    ['an edge', WEIGHTED, `${WEIGHTED}\n    edge: true`, /local has no edge/],
    ['a wildcard', 'name: api', "name: '*.api'", /local does not support names with \*/],
    ['a record type', 'shift:', 'records:\n  - { name: sub, type: NS, values: [ns.example.net] }\nshift:', /local does not support the type NS/], // prettier-ignore
    ['an alias', 'shift:', 'records:\n  - { name: x, type: A, alias: { host: x.example.net, zoneId: Z1 } }\nshift:', /x\.tandem\.test A: local has no aliases/], // prettier-ignore
  ])('%s', async (_title, from, to, why) => {
    const file = edited(from, to);
    if (to.includes('latency')) {
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(/ {4}region: .*\n/g, ''));
    }
    const { status, err } = await dns('plan', file);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/must (not|match)|records\/\d/);
    expect(status).toBe(1);
  });

  test('the name of a site that is no label', () => {
    const file = policyFile(fs.readFileSync(POLICY, 'utf8').replaceAll('aws-us-east-1', 'Us.East'));
    return expect(dns('plan', file)).resolves.toMatchObject({
      status: 1,
      err: expect.stringMatching(/takes a-z, 0-9 and hyphens for the name of a site, not 'Us\.East'/),
    });
  });
});

test('another stack is found by its control URL, and said to be missing there', async () => {
  await server.close();
  const { status, err } = await dns('plan');
  expect(status).toBe(1);
  expect(err).toContain(server.controlUrl);
});

test.each([
  ['other ports', DEFAULT_SITES],
  ['another order', 'azure-eastus,aws-us-east-1'],
  ['more sites', 'aws-us-east-1,aws-eu-west-1,azure-eastus'],
  ['other regions', 'aws-eu-west-1,azure-westeurope'],
])('the policy of the project fits a stack with %s: nothing is planned', async (_title, names) => {
  const sites = parseSites(names).map(({ site }, index) => ({ site, port: 21_000 + index }));
  const other = await startDnsServer({ zone: localZone(sites) });
  onEnd(() => other.close());
  const stack: LocalStack = {
    controlUrl: other.controlUrl,
    operatorKey: 'key',
    sites: sites.map(({ site, port }) => ({ site, url: `http://127.0.0.1:${port}` })),
  };
  const { status, out } = await dns('plan --json', POLICY, stack);
  expect({ status, changes: (JSON.parse(out) as { changes: unknown[] }).changes }).toEqual({
    status: 0,
    changes: [],
  });
});
