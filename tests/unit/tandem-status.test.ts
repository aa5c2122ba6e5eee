/** `tandem status` against sites on loopback. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { explain } from '@tandem-clouds/operator/get-json';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { duration } from '../../scripts/operate/table.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const NOW = '2026-03-01T12:00:00.000Z';
const ROOT = path.join(import.meta.dirname, '../..');
const later = closeAfterEach();

/** What a site says about its one peer. */
function view(
  site: string,
  peer: string,
  given: { keys?: number; atLeast?: boolean; pendingMs?: number; heardMsAgo?: number | null } = {},
): ReplicationView {
  const { keys = 0, atLeast = false, pendingMs = 0, heardMsAgo = 4_200 } = given;
  return {
    site,
    now: NOW,
    peers: [
      {
        site: peer,
        safeTime: new Date(Date.parse(NOW) - pendingMs).toISOString(),
        exposure: { keys, atLeast },
        oldestPendingMs: pendingMs,
        paused: false,
      },
    ],
    inbound: [{ site: peer, heardMsAgo }],
  };
}

interface Fixture {
  readonly url: string;
  requested: number;
}

const OPERATOR_KEY = 'the-key-of-the-stack';

/** A site that answers `GET /replication` with a value, or a text that is none of ours; and its depths to operators. */
async function startSite(
  reply: unknown,
  status = 200,
  depths?: object,
  pending?: object,
  causes: readonly object[] = [],
  parked = 0,
): Promise<Fixture> {
  const fixture = { url: '', requested: 0 };
  const server = createServer((request, response) => {
    fixture.requested += 1;
    if (request.url === '/replication/queues' && request.headers.authorization === `Bearer ${OPERATOR_KEY}`) {
      response.writeHead(depths === undefined ? 503 : 200).end(JSON.stringify({ queues: depths }));
      return;
    }
    if (
      request.url === '/replication/pending' &&
      request.headers.authorization === `Bearer ${OPERATOR_KEY}`
    ) {
      response.writeHead(pending === undefined ? 503 : 200).end(JSON.stringify(pending));
      return;
    }
    if (
      request.url === '/replication/dead-letters' &&
      request.headers.authorization === `Bearer ${OPERATOR_KEY}`
    ) {
      response
        .writeHead(200)
        .end(JSON.stringify({ now: NOW, scanned: causes.length, atLeast: false, causes }));
      return;
    }
    if (
      request.url === '/replication/reactions' &&
      request.headers.authorization === `Bearer ${OPERATOR_KEY}`
    ) {
      const none = { keys: 0, atLeast: false };
      const waits = { waiting: none, parked: { keys: parked, atLeast: false } };
      response.writeHead(200).end(JSON.stringify({ site: AWS, ...waits, reactions: [], entries: [] }));
      return;
    }
    const found = request.url === '/replication' ? status : 404;
    response.writeHead(found).end(typeof reply === 'string' ? reply : JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  fixture.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fixture;
}

/** The URL of a port that was free a moment ago. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function run(
  args: readonly string[],
  { colour = false, signal = new AbortController().signal, onOut = (_: string): void => undefined } = {},
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runProgram(PROGRAM, args, {
    out: (text) => {
      out += text;
      onOut(out);
    },
    err: (text) => (err += text),
    isTerminal: colour,
    colour,
    signal,
  });
  return { code, out, err };
}

const named = (...sites: readonly { readonly url: string }[]): string[] =>
  sites.flatMap(({ url }) => ['--site', url]);

interface Output {
  readonly responded: boolean;
  readonly directions: readonly Record<string, unknown>[];
}
const json = async (args: readonly string[]): Promise<Output & { code: number }> => {
  const { code, out } = await run(['status', '--json', ...args]);
  return { ...(JSON.parse(out) as Output), code };
};

describe('tandem status of deployed sites', () => {
  test('says per direction up to when everything is safe and how much is not', async () => {
    const aws = await startSite(view(AWS, AZURE, { keys: 3, pendingMs: 65_000 }));
    const azure = await startSite(view(AZURE, AWS, { heardMsAgo: 61_000 }));
    const { code, out } = await run(['status', ...named(aws, azure)]);
    const lines = out.split('\n').slice(2);
    expect(lines).toEqual([
      'from → to                     safe before               keys at risk  oldest     heard ago  out queue  in queue  dead letters',
      'aws-us-east-1 → azure-eastus  2026-03-01T11:58:55.000Z  3             1 min 5 s  1 min 1 s  –          –         –',
      'azure-eastus → aws-us-east-1  2026-03-01T12:00:00.000Z  0             none       4.2 s      –          –         –',
      '',
      'Everything acknowledged at aws-us-east-1 before 2026-03-01T11:58:55.000Z (1 min 5 s ago) is safe at azure-eastus; writes to 3 keys would be lost if aws-us-east-1 vanished now.',
      'Everything acknowledged at azure-eastus before 2026-03-01T12:00:00.000Z (0.0 s ago) is safe at aws-us-east-1; nothing that is known would be lost if azure-eastus vanished now.',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('says "at least" when a site stopped counting, and "never" when nothing was heard', async () => {
    const aws = await startSite(view(AWS, AZURE, { keys: 1_000, atLeast: true, pendingMs: 9_000 }));
    const azure = await startSite(view(AZURE, AWS, { heardMsAgo: null }));
    const { out } = await run(['status', ...named(aws, azure)]);
    expect(out).toMatch(/aws-us-east-1 → azure-eastus .* at least 1000 .* never/);
    expect(out).toContain('writes to at least 1000 keys would be lost');
  });

  test('gives programs the same as JSON', async () => {
    const aws = await startSite(view(AWS, AZURE, { keys: 1, pendingMs: 500 }));
    const azure = await startSite(view(AZURE, AWS));
    const { code, responded, directions } = await json(named(aws, azure));
    expect([code, responded]).toEqual([0, true]);
    expect(directions[0]).toEqual({
      from: AWS,
      to: AZURE,
      safeTime: '2026-03-01T11:59:59.500Z',
      behindMs: 500,
      keysAtRisk: 1,
      atLeast: false,
      oldestPendingMs: 500,
      paused: false,
      heardMsAgo: 4_200,
    });
  });

  test('says how fast a backlog is sent and when the last of it will have been', async () => {
    const recovery = { keysPerSecond: 412, doneAt: '2026-03-01T12:08:05.000Z' };
    const aws = await startSite({
      ...view(AWS, AZURE, { keys: 1_000, atLeast: true, pendingMs: 9_000 }),
      recovery,
    });
    const azure = await startSite(view(AZURE, AWS));
    const { out } = await run(['status', ...named(aws, azure)]);
    expect(out).toContain(
      'The backlog is being sent, 412 keys a second; the last of it about 2026-03-01T12:08:05.000Z.',
    );
    expect(out.match(/backlog/g)).toHaveLength(1);
  });

  test('names the indexes that do not answer yet, and says what they wait for', async () => {
    const since = '2026-03-01T12:00:00.000Z';
    const aws = await startSite({
      ...view(AWS, AZURE),
      indexes: [
        { id: 'booking.byCustomer.0abc', phase: 'filling', since },
        { id: 'booking.byPaid.0def', phase: 'filled', since },
      ],
    });
    const azure = await startSite(view(AZURE, AWS));
    const { out } = await run(['status', ...named(aws, azure)]);
    expect(out).toContain('Indexes of aws-us-east-1 that do not answer yet, and since when:');
    expect(out).toMatch(/booking\.byCustomer +2026-03-01T12:00:00\.000Z +is being filled\n/);
    expect(out).toMatch(/booking\.byPaid +2026\S+ +is filled here; not yet at every site/);
    expect(out.match(/do not answer yet/g)).toHaveLength(1);
  });

  test('a site that does not answer is a row that says so, and status 1', async () => {
    const aws = await startSite(view(AWS, AZURE));
    const { code, out } = await run(['status', ...named(aws, { url: await nobody() })]);
    expect(code).toBe(1);
    expect(out).toMatch(/aws-us-east-1 → azure-eastus {2}2026/);
    expect(out).toMatch(/http:\/\/127\.0\.0\.1:\d+ +does not answer/);
    expect(out).toContain('does not answer: connection refused. What it alone holds is not known.');
  });

  test('what hangs did not answer in time, also where an error of our own is around that', () => {
    const cause = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    expect([explain(cause), explain(new Error('of ours', { cause }))]).toEqual([
      'no answer within 5 s',
      'no answer in time',
    ]);
  });

  test.each([
    ['HTTP 503', { code: 'unavailable' }, 503],
    ['the answer is not JSON', '<html>', 200],
    ['the answer is not that of a Tandem site', { site: 'x', peers: [{}] }, 200],
    ['the answer is not that of a Tandem site', null, 200],
  ])('%s is no answer', async (problem, response, status) => {
    const { code, directions } = await json(named(await startSite(response, status)));
    expect([code, directions]).toEqual([1, [{ from: expect.stringContaining('127.0.0.1'), problem }]]);
  });

  test('uses colour on a terminal only, by what matters', async () => {
    const aws = await startSite(view(AWS, AZURE, { keys: 1, pendingMs: 500 }));
    const azure = await startSite(view(AZURE, AWS));
    const { out } = await run(['status', ...named(aws, azure)], { colour: true });
    expect(out).toContain('\u001B[33maws-us-east-1 →');
    expect(out).toContain('\u001B[32mazure-eastus →');
  });

  test('--watch looks again until it is stopped', async () => {
    const aws = await startSite(view(AWS, AZURE));
    const stop = new AbortController();
    const { code, out } = await run(['status', '--watch', '--json', ...named(aws)], {
      signal: stop.signal,
      onOut: (text) => {
        if (text.split('\n').length > 2) stop.abort();
      },
    });
    expect([code, aws.requested]).toEqual([0, 2]);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Output).responded),
    ).toEqual([true, true]);
  });
});

describe('tandem status of a stack on this machine', () => {
  async function writeStack(sites: readonly object[]): Promise<string> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-status-'));
    later(() => fs.rmSync(dir, { recursive: true }));
    const file = path.join(dir, 'stack.json');
    await fs.promises.writeFile(file, JSON.stringify({ version: 1, operatorKey: OPERATOR_KEY, sites }));
    return file;
  }

  const depths = (out: number, into: number, dead: number, atLeast = false) => ({
    out: { messages: out, atLeast },
    in: { messages: into, atLeast },
    dead: { messages: dead, atLeast },
  });

  test('shows the queues: out where the write was made, in and dead letters where it goes', async () => {
    const aws = await startSite(view(AWS, AZURE), 200, depths(2, 1, 0));
    const azure = await startSite(view(AZURE, AWS), 200, depths(0, 2, 250, true));
    const file = await writeStack([
      { site: AWS, url: aws.url },
      { site: AZURE, url: azure.url },
    ]);
    const { code, directions } = await json(['--stack', file]);
    expect(code).toBe(0);
    expect(directions).toMatchObject([
      { from: AWS, to: AZURE, outQueue: { messages: 2 }, inQueue: { messages: 2 } },
      { from: AZURE, to: AWS, inQueue: { messages: 1 }, deadLetters: { messages: 0, atLeast: false } },
    ]);
    const { out } = await run(['status', '--stack', file]);
    expect(out).toMatch(/aws-us-east-1 → azure-eastus .* 2 +at least 2 +at least 250\n/);
  });

  test('says where reactions are parked, and nothing where none is', async () => {
    const aws = await startSite(view(AWS, AZURE), 200, depths(0, 0, 0), undefined, [], 3);
    const azure = await startSite(view(AZURE, AWS), 200, depths(0, 0, 0));
    const file = await writeStack([
      { site: AWS, url: aws.url },
      { site: AZURE, url: azure.url },
    ]);
    const { code, out } = await run(['status', '--stack', file]);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line.includes('parked'))).toEqual([
      'Reactions on 3 records are parked at aws-us-east-1: reactions list says why.',
    ]);
  });

  test('--keys names the keys at risk in each direction, and why one is refused for good', async () => {
    const since = '2026-03-01T11:58:55.000Z';
    const keys = [
      { key: 'user:1', since, refused: 'SQS: InvalidMessageContents' },
      { key: 'item:long-name', since },
    ];
    const pendingOf = (site: string, peer: string, named: readonly object[]) => ({
      site,
      now: NOW,
      peers: [{ site: peer, keys: named, atLeast: false }],
    });
    const exposed = view(AWS, AZURE, { keys: 2, pendingMs: 65_000 });
    const refusing = exposed.peers.map((peer) => ({ ...peer, exposure: { ...peer.exposure, refused: 1 } }));
    const empty = depths(0, 0, 0);
    const aws = await startSite({ ...exposed, peers: refusing }, 200, empty, pendingOf(AWS, AZURE, keys));
    const azure = await startSite(view(AZURE, AWS), 200, empty, pendingOf(AZURE, AWS, []));
    const file = await writeStack([
      { site: AWS, url: aws.url },
      { site: AZURE, url: azure.url },
    ]);
    const { code, out } = await run(['status', '--keys', '--stack', file]);
    expect(code).toBe(0);
    expect(out).toContain('azure-eastus refuses 1 of them for good: status --keys says why.');
    expect(out.trimEnd().split('\n').slice(-5)).toEqual([
      'Keys at risk from aws-us-east-1 → azure-eastus:',
      `  user:1          ${since}  SQS: InvalidMessageContents`,
      `  item:long-name  ${since}  on its way`,
      '',
      'No key is at risk from azure-eastus → aws-us-east-1.',
    ]);
    const { directions } = await json(['--keys', '--stack', file]);
    expect(directions).toMatchObject([{ refusedKeys: 1, keys }, { keys: [] }]);
    expect((await json(['--stack', file])).directions[0]).not.toHaveProperty('keys');
  });

  test('--keys names what a site cannot use itself, and what its dead letters are about, with the reasons', async () => {
    const since = '2026-03-01T11:58:55.000Z';
    const unusable = [
      { key: 'user:torn', during: 'compare', reason: 'what the store holds is no record', since, last: NOW },
    ];
    const cause = {
      source: 'tandem-in',
      reason: 'unreadable',
      messages: 2,
      detail: 'x',
      oldest: since,
      newest: NOW,
    };
    const keys = [{ key: 'user:torn', detail: 'no record' }];
    const pending = { site: AWS, now: NOW, peers: [{ site: AZURE, keys: [], atLeast: false }], unusable };
    const aws = await startSite(view(AWS, AZURE), 200, depths(0, 0, 2), pending, [
      { ...cause, ids: ['m1'], keys },
      // From a site of a release before keys were named.
      { ...cause, reason: 'malformed', ids: ['m2'] },
    ]);
    const file = await writeStack([{ site: AWS, url: aws.url }]);
    const { code, out } = await run(['status', '--keys', '--stack', file]);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n').slice(-5)).toEqual([
      'Keys that aws-us-east-1 cannot read or write, for good:',
      `  user:torn  ${since}  compare  what the store holds is no record`,
      '',
      'Keys among the dead letters of aws-us-east-1:',
      `  user:torn  ${NOW}  tandem-in  unreadable: no record`,
    ]);
    expect(await json(['--keys', '--stack', file])).toMatchObject({
      sites: [{ pending: { unusable }, causes: [{ keys }, { reason: 'malformed' }] }],
    });
  });

  test('--keys without an operator key says what is missing, and ends with 1', async () => {
    const aws = await startSite(view(AWS, AZURE));
    const { code, out } = await run(['status', '--keys', ...named(aws)]);
    expect(code).toBe(1);
    expect(out).toMatch(/The keys at risk of aws-us-east-1 are not known: .*TANDEM_OPERATOR_KEY/);
  });

  test('says who is paused, and why a peer does not take what is sent', async () => {
    const paused = view(AWS, AZURE);
    const refused = view(AZURE, AWS);
    const sites = [
      await startSite({ ...paused, peers: paused.peers.map((peer) => ({ ...peer, paused: true })) }),
      await startSite({
        ...refused,
        peers: refused.peers.map((peer) => ({ ...peer, problem: 'ExpiredToken' })),
      }),
    ];
    const { out } = await run(['status', ...named(...sites)]);
    expect(out).toContain('would be lost if aws-us-east-1 vanished now. It is paused.');
    expect(out).toContain('aws-us-east-1 does not take what is sent: ExpiredToken');
  });

  test('a site that is down keeps its name and its directions, with what others know of it', async () => {
    const azure = await startSite(view(AZURE, AWS, { heardMsAgo: 30_000 }));
    const file = await writeStack([
      { site: AWS, url: await nobody() },
      { site: AZURE, url: azure.url },
    ]);
    const { code, directions } = await json(['--stack', path.dirname(file)]);
    expect(code).toBe(1);
    expect(directions[0]).toEqual({
      from: AWS,
      to: AZURE,
      heardMsAgo: 30_000,
      problem: 'connection refused',
    });
    const { out } = await run(['status', '--stack', file]);
    expect(out).toContain('The queues of azure-eastus do not answer: azure-eastus: HTTP 503.');
  });

  test('no stack is said in words, with what to do', async () => {
    const { code, out, err } = await run(['status', '--stack', path.join(os.tmpdir(), 'none', 'stack.json')]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('start one with npm start');
  });

  test.each([
    ['half of it', '{'],
    ['null', 'null'],
    ['no sites', '{}'],
    ['sites without addresses', '{"sites":[{"site":"aws-us-east-1"}]}'],
    ['another version', '{"version":2,"sites":[]}'],
  ])('a stack file that is damaged (%s) is named, with what to do', async (_title, text) => {
    const file = await writeStack([]);
    fs.writeFileSync(file, text);
    const { code, err } = await run(['status', '--stack', file]);
    expect(code).toBe(1);
    expect(err).toContain(file);
    expect(err).toContain('stop npm start and start it again');
  });
});

describe('the program', () => {
  const program = (args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, ['scripts/tandem.ts', ...args], { cwd: ROOT }, (error, out, err) => {
        resolve({ code: error?.code ?? 0, out, err });
      });
    });

  test('ends with 2 for an unknown command, 0 for help', async () => {
    expect(await program(['stats'])).toEqual({
      code: 2,
      out: '',
      err: "'stats' is not a command; did you mean 'status'?\nnpm run tandem -- --help lists the commands.\n",
    });
    expect(await program(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('Usage:') });
  });

  test('a watch ends on Ctrl-C with the status of the last look', async () => {
    const site = await startSite(view(AWS, AZURE));
    const args = ['scripts/tandem.ts', 'status', '--watch', ...named(site)];
    const ended = new Promise<unknown>((resolve) => {
      const child = execFile(process.execPath, args, { cwd: ROOT }, (error) => resolve(error?.code ?? 0));
      later(() => child.kill('SIGKILL'));
      child.stdout?.once('data', () => child.kill('SIGINT'));
    });
    await waitUntil('the first look', () => (site.requested > 0 ? true : undefined));
    expect(await ended).toBe(0);
  });
});

describe('a duration', () => {
  test.each([
    [0, '0.0 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min 0 s'],
    [3_725_000, '1 h 2 min'],
    [90_000_000, '1 d 1 h'],
    [undefined, '–'],
  ])('of %p ms reads %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
