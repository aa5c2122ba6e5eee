/** `tandem metrics` against sites on loopback. */
import { once } from 'node:events';
import http, { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { TEXT_TYPE } from '@tandem-clouds/emulators/otlp/prometheus-text';
import { PROGRAM } from '../../scripts/commands/program.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const KEY = 'the-key-of-an-operator';
const later = closeAfterEach();

let keyBefore: string | undefined;
beforeEach(() => {
  keyBefore = process.env['TANDEM_OPERATOR_KEY'];
  process.env['TANDEM_OPERATOR_KEY'] = KEY;
});
afterEach(() => {
  if (keyBefore === undefined) delete process.env['TANDEM_OPERATOR_KEY'];
  else process.env['TANDEM_OPERATOR_KEY'] = keyBefore;
});

const NONE = { objects: 0, bytes: 0, overdue: 0 };
const VIEW: ReplicationView = {
  site: AWS,
  now: '2026-03-01T12:00:10.000Z',
  peers: [
    {
      site: AZURE,
      safeTime: '2026-03-01T12:00:07.500Z',
      exposure: { keys: 3, atLeast: false, refused: 1 },
      oldestPendingMs: 2_500,
      paused: true,
    },
  ],
  inbound: [{ site: AZURE, heardMsAgo: null }],
  content: { lacking: { ...NONE, objects: 2, bytes: 500 }, atLeast: false },
};
const depth = (messages: number): object => ({ messages, atLeast: false });
const REACTIONS = { waiting: { keys: 5, atLeast: false }, parked: { keys: 0, atLeast: false } };
const ANSWERS: Readonly<Record<string, object>> = {
  '/replication': VIEW,
  '/replication/queues': { queues: { out: depth(7), in: depth(0), dead: depth(4) } },
  '/replication/reactions': REACTIONS,
};

async function listen(listener: RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  later(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** A site that has these answers, those for operators with their key alone. */
function startSite(answers: Readonly<Record<string, object>> = ANSWERS) {
  return listen(({ url = '', headers }, response) => {
    const isOpen = url === '/replication' || headers.authorization === `Bearer ${KEY}`;
    const answer = isOpen ? answers[url] : undefined;
    response.writeHead(answer === undefined ? 503 : 200).end(JSON.stringify(answer ?? {}));
  });
}

function run(args: readonly string[], signal = new AbortController().signal) {
  const output = { out: '', err: '' };
  const ended = runProgram(PROGRAM, ['metrics', ...args], {
    out: (text) => void (output.out += text),
    err: (text) => void (output.err += text),
    isTerminal: false,
    colour: false,
    signal,
  });
  return { output, ended };
}

/** The samples without their comments. */
async function show(...urls: string[]): Promise<{ code: number; lines: string[]; err: string }> {
  const { output, ended } = run(['show', ...urls.flatMap((url) => ['--site', url])]);
  const code = await ended;
  return { code, err: output.err, lines: output.out.split('\n').filter((line) => /^\w/.test(line)) };
}

describe('tandem metrics show', () => {
  test('says what a site knows, by the names that its own metrics have', async () => {
    const { url } = await startSite();
    const { code, lines } = await show(url);
    expect(code).toBe(0);
    const at = `{site="${AWS}"}`;
    const to = `{site="${AWS}",peer="${AZURE}"}`;
    expect(lines).toEqual([
      `tandem_dead_letter_messages${at} 4`,
      `tandem_keys_at_risk${to} 3`,
      `tandem_object_bytes_lacking${at} 500`,
      `tandem_objects_lacking${at} 2`,
      `tandem_objects_overdue${at} 0`,
      `tandem_oldest_pending_seconds${to} 2.5`,
      `tandem_operator_up${at} 1`,
      `tandem_paused${to} 1`,
      `tandem_queue_messages{site="${AWS}",queue="out"} 7`,
      `tandem_queue_messages{site="${AWS}",queue="in"} 0`,
      `tandem_reactions_parked${at} 0`,
      `tandem_reactions_waiting${at} 5`,
      `tandem_refused_keys${to} 1`,
      `tandem_safe_time_age_seconds${to} 2.5`,
      `tandem_up${at} 1`,
    ]);
  });

  test('a site that is down is one that is not up, beside one that is', async () => {
    const site = await startSite();
    const away = await startSite();
    await away.close();
    const { code, lines, err } = await show(site.url, away.url);
    expect(code).toBe(1);
    const host = new URL(away.url).host;
    expect(lines).toContain(`tandem_up{site="${AWS}"} 1`);
    expect(lines.filter((line) => line.includes(host))).toEqual([
      `tandem_operator_up{site="${host}"} 0`,
      `tandem_up{site="${host}"} 0`,
    ]);
    expect(err).toBe('');
  });

  test('what operators alone may ask is left out where the site does not say it', async () => {
    const { url } = await startSite({ '/replication': VIEW });
    const { lines } = await show(url);
    expect(lines).toContain(`tandem_operator_up{site="${AWS}"} 0`);
    expect(lines.join('\n')).not.toMatch(/queue_messages|dead_letter|reactions/);
    delete process.env['TANDEM_OPERATOR_KEY'];
    expect((await show(url)).lines.join('\n')).not.toContain('tandem_operator_up');
  });
});

describe('tandem metrics serve', () => {
  async function start(...urls: string[]) {
    const ending = new AbortController();
    const sites = urls.flatMap((url) => ['--site', url]);
    const { output, ended } = run(['serve', '--port', '0', ...sites], ending.signal);
    later(() => {
      ending.abort();
      return ended;
    });
    const url = await waitUntil('an address', () => Promise.resolve(/http\S+/.exec(output.out)?.[0]));
    const stop = (): Promise<number> => {
      ending.abort();
      return ended;
    };
    return { url, output, stop };
  }

  test('asks the sites at each scrape, and remembers what one that has gone is called', async () => {
    const site = await startSite();
    const { url, stop } = await start(site.url);
    const first = await fetch(url);
    expect([first.status, first.headers.get('content-type')]).toEqual([200, TEXT_TYPE]);
    expect(await first.text()).toContain(`tandem_up{site="${AWS}"} 1\n`);
    await site.close();
    const second = await fetch(url);
    expect(second.status).toBe(200);
    const text = await second.text();
    expect(text).toContain(`tandem_up{site="${AWS}"} 0\n`);
    expect(text).not.toContain('tandem_keys_at_risk');
    expect(await stop()).toBe(0);
  });

  test('is for this machine, for GET, and for one path; and the key is nowhere', async () => {
    const site = await startSite();
    const { url, output } = await start(site.url);
    const { port } = new URL(url);
    const ask = (
      path: string,
      options: http.RequestOptions = {},
    ): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port, path, ...options }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        });
        request.on('error', reject).end();
      });
    const rebound = { headers: { host: `tandem.example:${port}` } };
    const page = { headers: { origin: 'https://tandem.example' } };
    expect((await ask('/metrics', rebound)).status).toBe(403);
    expect((await ask('/metrics', page)).status).toBe(403);
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/metrics', { method: 'POST' })).status).toBe(405);
    const whole = await ask('/metrics');
    expect(whole.status).toBe(200);
    expect(whole.body + output.out + output.err).not.toContain(KEY);
  });

  test('scrapes that come together ask the sites once', async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const site = await listen(({ url = '' }, response) => {
      if (url === '/replication') asked += 1;
      void promise.then(() => response.writeHead(200).end(JSON.stringify(ANSWERS[url] ?? {})));
    });
    const { url } = await start(site.url);
    const first = fetch(url);
    await waitUntil('a question', () => (asked > 0 ? true : undefined));
    // It is told to go on by a server that has its request.
    const second = http.request(url, { headers: { expect: '100-continue' } });
    const answered = once(second, 'response') as Promise<[http.IncomingMessage]>;
    second.flushHeaders();
    await once(second, 'continue');
    second.end();
    resolve(undefined);
    const [response] = await answered;
    response.resume();
    expect([(await first).status, response.statusCode]).toEqual([200, 200]);
    expect(asked).toBe(1);
  });

  test('says so where its port is taken', async () => {
    const taken = await startSite();
    const { output, ended } = run(['serve', '--port', new URL(taken.url).port, '--site', taken.url]);
    expect(await ended).toBe(1);
    expect(output.err).toContain('name another one with --port');
  });
});
