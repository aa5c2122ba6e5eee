/** The DNS server through real sockets: raw packets, Node's resolver, `dig` where there is one. */
import { execFile } from 'node:child_process';
import dns from 'node:dns/promises';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { ZoneRecord } from '@tandem-clouds/zone/model';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import {
  addressesOf,
  clientSubnet,
  decode,
  QTYPE,
  query,
  queryTcp,
  queryUdp,
} from '../../../../tests/helpers/dns-packets.ts';
import { API, checkOf, plain, routed, target, ZONE } from '../../../../tests/helpers/dns-zone.ts';
import { startOrigin, type TestOrigin } from '../../../../tests/helpers/origin.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import type { HealthReport } from '../../src/dns/control.ts';
import {
  type DnsServer,
  type DnsServerOptions,
  type ServerEvent,
  startDnsServer,
} from '../../src/dns/server.ts';

const onEnd = closeAfterEach();
const run = promisify(execFile);

async function start(
  records: readonly ZoneRecord[],
  more: Partial<DnsServerOptions> = {},
): Promise<DnsServer> {
  const server = await startDnsServer({ zone: { zone: ZONE, records }, ...more });
  onEnd(() => server.close());
  return server;
}

async function origin(site: string): Promise<TestOrigin> {
  const started = await startOrigin(site);
  onEnd(() => started.kill());
  return started;
}

function resolverOf({ port }: DnsServer): dns.Resolver {
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return resolver;
}

async function fetchFrom({ port }: DnsServer, ...args: Parameters<typeof query>) {
  return decode(await queryUdp(port, query(...args)));
}

async function healthOf({ controlUrl }: DnsServer): Promise<HealthReport> {
  return (await (await fetch(`${controlUrl}/v1/health`)).json()) as HealthReport;
}

/** The addresses that a few queries get. */
async function seen(server: DnsServer, count = 24): Promise<string> {
  const answers = await Promise.all(Array.from({ length: count }, () => fetchFrom(server, API, QTYPE.A)));
  return [...new Set(answers.flatMap(addressesOf))].sort().join(' ');
}

async function untilSeen(server: DnsServer, wanted: string): Promise<void> {
  await waitUntil(`answers ${wanted}`, async () => ((await seen(server)) === wanted ? true : undefined));
}

const BIG = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(100, 'x'));

describe("Node's resolver", () => {
  test('gets addresses with their TTL, and every other type', async () => {
    const site = await origin('aws');
    const server = await start([
      routed('weighted', [target('aws', '127.0.0.2', { check: checkOf(site) })]),
      plain(`six.${ZONE}`, 'AAAA', '2001:db8::2'),
      plain(`alias.${ZONE}`, 'CNAME', `six.${ZONE}`),
      plain(ZONE, 'MX', `10 mail.${ZONE}`),
      plain(ZONE, 'CAA', '0 issue "ca.example.net"'),
    ]);
    const resolver = resolverOf(server);
    expect(await resolver.resolve4(API, { ttl: true })).toEqual([{ address: '127.0.0.2', ttl: 10 }]);
    expect(await resolver.resolve6(`six.${ZONE}`)).toEqual(['2001:db8::2']);
    expect(await resolver.resolveCname(`alias.${ZONE}`)).toEqual([`six.${ZONE}`]);
    expect(await resolver.resolveMx(ZONE)).toMatchObject([{ exchange: `mail.${ZONE}`, priority: 10 }]);
    expect(await resolver.resolveCaa(ZONE)).toMatchObject([{ critical: 0, issue: 'ca.example.net' }]);
    expect(await resolver.resolveNs(ZONE)).toEqual([`ns.${ZONE}`]);
    expect(await resolver.resolveSoa(ZONE)).toMatchObject({ nsname: `ns.${ZONE}`, serial: 1, minttl: 10 });
    expect(await resolver.resolveSrv(`_http._tcp.${API}`)).toEqual([
      expect.objectContaining({ name: `aws.${API}`, port: Number(site.url.port) }),
    ]);
  });

  test('tells a name that does not exist from one without the type, and from one that is not ours', async () => {
    const resolver = resolverOf(await start([plain(API, 'A', '127.0.0.2')]));
    await expect(resolver.resolve4(`no.${ZONE}`)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve6(API)).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  test('asks again over TCP when the answer is larger than UDP takes', async () => {
    const server = await start([plain(`big.${ZONE}`, 'TXT', ...BIG)]);
    expect(await resolverOf(server).resolveTxt(`big.${ZONE}`)).toHaveLength(BIG.length);
    const { queries } = (await (await fetch(`${server.controlUrl}/v1/counters`)).json()) as {
      queries: Record<string, number>;
    };
    expect(queries).toMatchObject({ udp: 1, tcp: 1, truncated: 1 });
  });
});

describe('TCP', () => {
  test('answers many queries on one connection, in order, however they are cut up', async () => {
    const { port } = await start([plain(API, 'A', '127.0.0.2')]);
    const packets = Array.from({ length: 50 }, (_, id) => query(API, QTYPE.A, { id }));
    for (const piece of [1, 7, 65_537]) {
      const answers = await queryTcp(port, packets, piece);
      expect(answers.map((answer) => decode(answer).id)).toEqual(packets.map((_, id) => id));
    }
  });

  test('a connection that sends no queries is closed', async () => {
    const { port } = await start([plain(API, 'A', '127.0.0.2')]);
    expect(await queryTcp(port, [Buffer.alloc(5)])).toEqual([]);
    expect(await queryTcp(port, [query(API, QTYPE.A)])).toHaveLength(1);
  });
});

test('garbage over UDP does no harm', async () => {
  const server = await start([plain(API, 'A', '127.0.0.2')]);
  for (const packet of [Buffer.alloc(12), Buffer.alloc(500, 0x21)]) {
    expect(await queryUdp(server.port, packet)).toHaveLength(12);
  }
  expect(addressesOf(await fetchFrom(server, API, QTYPE.A))).toEqual(['127.0.0.2']);
});

test('10,000 queries are spread by weight, within 2 %', async () => {
  const server = await start([
    routed('weighted', [target('a', '127.0.0.2', { weight: 90 }), target('b', '127.0.0.3', { weight: 10 })]),
  ]);
  const counts = new Map<string, number>();
  for (let i = 0; i < 100; i += 1) {
    const answers = await queryTcp(
      server.port,
      Array.from({ length: 100 }, () => query(API, QTYPE.A)),
    );
    for (const answer of answers) {
      const [address = ''] = addressesOf(decode(answer));
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
  }
  expect(counts.get('127.0.0.2')! + counts.get('127.0.0.3')!).toBe(10_000);
  expect(Math.abs(counts.get('127.0.0.3')! / 10_000 - 0.1)).toBeLessThan(0.02);
  const { chosen } = (await (await fetch(`${server.controlUrl}/v1/counters`)).json()) as { chosen: object };
  expect(chosen).toEqual({ [`${API} A`]: { a: counts.get('127.0.0.2'), b: counts.get('127.0.0.3') } });
});

test('where the client is decides, and the answer says for how much of its subnet that holds', async () => {
  const place = (...countries: string[]) => ({ countries, continents: [], default: countries.length === 0 });
  const server = await start(
    [routed('geolocation', [target('ch', '127.0.0.2', { location: place('CH') }), target('other', '127.0.0.3', { location: place() })])], // prettier-ignore
    { locations: { subnets: [{ subnet: '198.51.0.0/16', country: 'CH' }], latencyMs: {} } },
  );
  const from = (address: string) =>
    fetchFrom(server, API, QTYPE.A, { edns: 1_232, options: clientSubnet(address, 24) });
  const swiss = await from('198.51.100.0');
  expect(addressesOf(swiss)).toEqual(['127.0.0.2']);
  expect(swiss.additional[0]!.data[7]).toBe(16);
  const other = await from('203.0.113.0');
  expect(addressesOf(other)).toEqual(['127.0.0.3']);
  expect(other.additional[0]!.data[7]).toBe(24);
  expect(addressesOf(await fetchFrom(server, API, QTYPE.A))).toEqual(['127.0.0.3']);
});

describe('health', () => {
  test('a killed site leaves the answers within interval × threshold, and comes back', async () => {
    const [aws, azure] = [await origin('aws'), await origin('azure')];
    const check = { intervalSeconds: 1, failureThreshold: 3 };
    const events: ServerEvent[] = [];
    const server = await start(
      [
        routed('weighted', [
          target('aws', '127.0.0.2', { check: checkOf(aws, check) }),
          target('azure', '127.0.0.3', { check: checkOf(azure, check) }),
        ]),
      ],
      { onEvent: (event) => events.push(event) },
    );
    await waitUntil('both are known to be well', async () => {
      const checks = Object.values((await healthOf(server)).checks);
      return checks.every(({ passing }) => passing) ? true : undefined;
    });
    await untilSeen(server, '127.0.0.2 127.0.0.3');
    await aws.kill();
    await untilSeen(server, '127.0.0.3');
    expect(Object.values((await healthOf(server)).checks)).toContainEqual(
      expect.objectContaining({ healthy: false, passing: false, failure: 'ECONNREFUSED' }),
    );
    await aws.revive();
    await untilSeen(server, '127.0.0.2 127.0.0.3');
    expect(events.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  test('an answer other than 2xx and 3xx is a failure, and so is none', async () => {
    const site = await origin('aws');
    const server = await start([
      routed('weighted', [
        target('aws', '127.0.0.2', { check: checkOf(site) }),
        target('slow', '127.0.0.3', { check: checkOf(site, { path: '/slow' }) }),
      ]),
    ]);
    site.handle = () => undefined;
    site.health = 503;
    await waitUntil('both have failed', async () =>
      (await healthOf(server)).lost.length > 0 ? true : undefined,
    );
    const failures = Object.values((await healthOf(server)).checks).map(({ failure }) => failure);
    expect(failures.sort()).toEqual(['no answer within 50 ms', 'status 503']);
    site.health = 302;
    await untilSeen(server, '127.0.0.2');
  });

  test('failover goes to the second site, and back', async () => {
    const [first, second] = [await origin('aws'), await origin('azure')];
    const server = await start([
      routed('failover', [
        target('aws', '127.0.0.2', { check: checkOf(first) }),
        target('azure', '127.0.0.3', { check: checkOf(second) }),
      ]),
    ]);
    await untilSeen(server, '127.0.0.2');
    await first.kill();
    await untilSeen(server, '127.0.0.3');
    await first.revive();
    await untilSeen(server, '127.0.0.2');
  });

  test('when all are unhealthy all are served, with an alarm', async () => {
    const [aws, azure] = [await origin('aws'), await origin('azure')];
    const events: ServerEvent[] = [];
    const server = await start(
      [
        routed('weighted', [
          target('aws', '127.0.0.2', { check: checkOf(aws) }),
          target('azure', '127.0.0.3', { check: checkOf(azure) }),
        ]),
      ],
      { onEvent: (event) => events.push(event) },
    );
    await waitUntil('both are known to be well', async () => {
      const checks = Object.values((await healthOf(server)).checks);
      return checks.every(({ passing }) => passing) ? true : undefined;
    });
    await Promise.all([aws.kill(), azure.kill()]);
    await waitUntil('the alarm', () => events.find(({ level }) => level === 'error'));
    expect((await healthOf(server)).lost).toEqual([`${API} A`]);
    await untilSeen(server, '127.0.0.2 127.0.0.3');
    await azure.revive();
    await untilSeen(server, '127.0.0.3');
    expect((await healthOf(server)).lost).toEqual([]);
  });
});

describe('a restart', () => {
  test('goes on with the zone, its revision and what was unhealthy', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'dns-server-'));
    onEnd(() => fs.rmSync(dir, { recursive: true, force: true }));
    const file = path.join(dir, 'zone.json');
    const [aws, azure] = [await origin('aws'), await origin('azure')];
    const records = [
      routed('weighted', [
        target('aws', '127.0.0.2', { check: checkOf(aws) }),
        target('azure', '127.0.0.3', { check: checkOf(azure) }),
      ]),
    ];
    const first = await start(records, { file });
    await fetch(`${first.controlUrl}/v1/zone`, {
      method: 'PUT',
      headers: { 'if-match': '"1"', 'content-type': 'application/json' },
      body: JSON.stringify({ zone: ZONE, records: [...records, plain(`new.${ZONE}`, 'A', '127.0.0.9')] }),
    });
    await waitUntil('both are known', () => (aws.probes > 1 && azure.probes > 1 ? true : undefined));
    await aws.kill();
    await untilSeen(first, '127.0.0.3');
    await first.close();
    const second = await start([], { file });
    expect(await seen(second)).toBe('127.0.0.3');
    expect(addressesOf(await fetchFrom(second, `new.${ZONE}`, QTYPE.A))).toEqual(['127.0.0.9']);
    expect((await fetch(`${second.controlUrl}/v1/zone`)).headers.get('etag')).toBe('"2"');
  });

  test('with a damaged file does not happen, and the file is named', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'dns-server-'));
    onEnd(() => fs.rmSync(dir, { recursive: true, force: true }));
    const file = path.join(dir, 'zone.json');
    fs.writeFileSync(file, '{"revision":3,');
    await expect(start([], { file })).rejects.toThrow(file);
  });
});

describe('a zone file that cannot be written', () => {
  test('is reported once, answers go on, and a change is refused with the file and what to do', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'dns-server-'));
    onEnd(() => fs.rmSync(dir, { recursive: true, force: true }));
    // Its folder cannot be made: there is a file of that name.
    fs.writeFileSync(path.join(dir, 'folder'), '');
    const file = path.join(dir, 'folder/zone.json');
    const events: ServerEvent[] = [];
    const site = await origin('aws');
    const records = [routed('weighted', [target('aws', '127.0.0.2', { check: checkOf(site) })])];
    const server = await start(records, { file, onEvent: (event) => events.push(event) });
    await site.kill();
    await waitUntil('the site has failed', async () => (await healthOf(server)).lost.length > 0 || undefined);
    expect(await seen(server)).toBe('127.0.0.2');
    const warnings = events.filter(({ message }) => message.includes(`${file} cannot be written`));
    expect(warnings).toHaveLength(1);
    const response = await fetch(`${server.controlUrl}/v1/zone`, {
      method: 'PUT',
      headers: { 'if-match': '"1"', 'content-type': 'application/json' },
      body: JSON.stringify({ zone: ZONE, records: [plain(API, 'A', '127.0.0.9')] }),
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ title: expect.stringMatching(/zone\.json .*make room/) });
    expect(await seen(server)).toBe('127.0.0.2');
  });
});

test('a taken port is said, and nothing is left open', async () => {
  const { port } = await start([]);
  await expect(start([], { port })).rejects.toThrow(/EADDRINUSE/);
});

const hasDig = await run('dig', ['-v']).then(
  () => true,
  () => false,
);
if (!hasDig) process.stdout.write('dig is not installed: the tests with it are skipped\n');
(hasDig ? describe : describe.skip)('dig', () => {
  test('reads every answer, and shows which site it is', async () => {
    const site = await origin('aws');
    const server = await start([
      routed('weighted', [target('aws', '127.0.0.2', { check: checkOf(site) })]),
      plain(`big.${ZONE}`, 'TXT', ...BIG),
    ]);
    const dig = async (...args: string[]): Promise<string> =>
      (await run('dig', ['@127.0.0.1', '-p', String(server.port), ...args])).stdout;
    expect(await dig('+short', API)).toBe('127.0.0.2\n');
    expect(await dig('+short', `_http.${API}`, 'SVCB')).toBe(
      `1 aws.${API}. port=${site.url.port} ipv4hint=127.0.0.2\n`,
    );
    expect((await dig('+short', `big.${ZONE}`, 'TXT')).trim().split('\n')).toHaveLength(BIG.length);
    expect(await dig(API, '+subnet=192.0.2.0/24')).toMatch(/CLIENT-SUBNET: 192\.0\.2\.0\/24\/0/);
    expect(await dig(API)).not.toMatch(/WARNING: .*(malformed|extra|bad)/i);
  });
});
