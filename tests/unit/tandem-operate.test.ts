/** `tandem pause`, `resume` and `dlq` against a site on loopback that answers as the contract says. */
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const later = closeAfterEach();
const AWS = 'aws-us-east-1';
const KEY = 'the-key-of-the-stack';

interface Requested {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** A stack of one site; `answers` are given to operators by method and path. */
async function stackOf(responses: (requested: Requested) => { status?: number; body: object }) {
  const requested: Requested[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const call = { method, path: url, body: JSON.parse(text || '{}') as Record<string, unknown> };
      requested.push(call);
      const accepted = headers.authorization === `Bearer ${KEY}`;
      const { status = 200, body } = accepted ? responses(call) : { status: 401, body: { detail: 'no' } };
      response.writeHead(status).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-operate-'));
  later(() => fs.rmSync(dir, { recursive: true }));
  const write = (operatorKey: string | undefined): void =>
    fs.writeFileSync(
      path.join(dir, 'stack.json'),
      JSON.stringify({ operatorKey, sites: [{ site: AWS, url }] }),
    );
  write(KEY);
  const run = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    let [out, err] = ['', ''];
    const code = await runProgram(PROGRAM, [...args, '--stack', dir], {
      out: (more) => (out += more),
      err: (more) => (err += more),
      isTerminal: false,
      colour: false,
      signal: new AbortController().signal,
    });
    return { code, out, err };
  };
  return { run, requested, write, dir };
}

describe('tandem pause and resume', () => {
  test('ask the site that sends, and say what follows', async () => {
    const { run, requested } = await stackOf(({ method }) => ({
      body:
        method === 'PUT'
          ? { peer: 'azure-eastus', paused: true, since: '2026-03-01T12:00:00.000Z' }
          : { peer: 'azure-eastus', paused: false, sent: { keys: 500, complete: false } },
    }));
    expect((await run('pause', AWS, 'azure-eastus')).out).toBe(
      'aws-us-east-1 sends nothing to azure-eastus since 2026-03-01T12:00:00.000Z. What it lacks is kept and shown by status.\n',
    );
    expect((await run('resume', AWS, 'azure-eastus')).out).toBe(
      'aws-us-east-1 sends to azure-eastus again: 500 keys sent, the sweeper sends the rest.\n',
    );
    expect(requested.map(({ method, path: queries }) => `${method} ${queries}`)).toEqual([
      'PUT /replication/pauses/azure-eastus',
      'DELETE /replication/pauses/azure-eastus',
    ]);
  });

  test('a resume whose peer does not take anything says why, with status 1', async () => {
    const sent = { keys: 0, complete: false, problem: 'ExpiredToken' };
    const { run } = await stackOf(() => ({ body: { peer: 'b', paused: false, sent } }));
    const { code, out } = await run('resume', AWS, 'b', '--json');
    expect([code, JSON.parse(out)]).toEqual([1, { from: AWS, peer: 'b', paused: false, sent }]);
  });

  test.each([
    ['a site that is not there', ['pause', 'gcp', 'b'], KEY, `'gcp' is none of ${AWS}`],
    ['a key that is wrong', ['pause', AWS, 'b'], 'wrong', 'no; set TANDEM_OPERATOR_KEY'],
    ['a key that is missing', ['pause', AWS, 'b'], undefined, 'no operator key; set TANDEM_OPERATOR_KEY'],
    ['what the site refuses', ['pause', AWS, 'b'], KEY, `${AWS}: b is not a peer`],
  ])('%s is said, with what to do', async (_, args, key, message) => {
    const { run, write } = await stackOf(() => ({ status: 404, body: { detail: 'b is not a peer' } }));
    write(key);
    expect(await run(...args)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(message) });
  });
});

describe('tandem dlq', () => {
  const cause = {
    source: 'tandem-in',
    reason: 'malformed',
    messages: 2,
    detail: 'not JSON',
    oldest: '2026-03-01T11:00:00.000Z',
    newest: '2026-03-01T12:00:00.000Z',
    ids: ['m1', 'm2'],
  };
  const causes = { now: '2026-03-01T12:30:00.000Z', scanned: 2, atLeast: true, causes: [cause] };
  const settled = (count: number, rest: object = {}) => ({
    body: { dryRun: false, scanned: 2, atLeast: false, matched: count, settled: count, failed: [], ...rest },
  });

  test('list says how many there are, from where, why, and names one', async () => {
    const { run } = await stackOf(() => ({ body: causes }));
    expect((await run('dlq', 'list')).out.split('\n')).toEqual([
      'aws-us-east-1  (the first 2; there may be more)',
      '  letters  from       reason     newest                    for example  detail',
      '  2        tandem-in  malformed  2026-03-01T12:00:00.000Z  m1           not JSON',
      '',
    ]);
  });

  test('show gives the whole letter', async () => {
    const message = {
      id: 'm1',
      source: 'tandem-in',
      reason: 'malformed',
      detail: 'd',
      body: '{',
      at: cause.newest,
    };
    const { run } = await stackOf(() => ({ body: message }));
    expect((await run('dlq', 'show', 'm1')).out).toContain('reason  malformed\n');
    expect(JSON.parse((await run('dlq', 'show', 'm1', '--json')).out)).toEqual(message);
  });

  test('replay goes on, at its rate, until none is left that was there when it began', async () => {
    const counts = [200, 200, 0];
    const { run, requested } = await stackOf(({ method }) =>
      method === 'GET' ? { body: causes } : settled(Math.min(counts.shift() ?? 0, 100)),
    );
    const { code, out } = await run('dlq', 'replay', '--reason', 'malformed', '--rate', '2000');
    expect([code, out]).toEqual([0, '200 letters replayed\n']);
    const posts = requested.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(3);
    expect(posts[0]?.body).toEqual({ reason: 'malformed', before: causes.now, limit: 100, dryRun: false });
  });

  test('a dry run asks once and says what would be', async () => {
    const { run, requested } = await stackOf(({ method }) =>
      method === 'GET' ? { body: causes } : settled(7, { dryRun: true, atLeast: true }),
    );
    expect((await run('dlq', 'discard', '--all', '--dry-run')).out).toBe(
      'at least 7 letters would be discarded\n',
    );
    expect(requested.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('a letter that cannot be settled is named, with status 1', async () => {
    const failed = [{ id: 'm2', detail: 'the queue is full' }];
    const { run } = await stackOf(({ method }) =>
      method === 'GET' ? { body: causes } : settled(0, { matched: 1, failed }),
    );
    const { code, err } = await run('dlq', 'replay', 'm2');
    expect([code, err]).toEqual([1, 'm2 stays: the queue is full\n']);
  });

  test('an edited event is read from its file and sent with the one letter', async () => {
    const { run, requested, dir } = await stackOf(({ method }) =>
      method === 'GET' ? { body: causes } : settled(1),
    );
    const file = path.join(dir, 'event.json');
    fs.writeFileSync(file, '{"specversion":"1.0"}');
    await run('dlq', 'replay', 'm1', '--edit', file);
    expect(requested.find(({ method }) => method === 'POST')?.body).toMatchObject({
      ids: ['m1'],
      event: { specversion: '1.0' },
    });
    fs.writeFileSync(file, '{');
    expect((await run('dlq', 'replay', 'm1', '--edit', file)).err).toContain('it is not JSON');
  });
});
