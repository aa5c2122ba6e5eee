/** Faults from another process: over HTTP, to those of a stack whose processes are counted only. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { STACK_FILE } from '@tandem-clouds/command-line/running-stack';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import type { FaultOrder, LocalFaults } from '../../src/faults/fault-order.ts';
import { FaultsServer } from '../../src/faults/faults-server.ts';
import { localFaults } from '../../src/faults/local-faults.ts';
import { StackFaults } from '../../src/faults/stack-faults.ts';
import { StackLinks } from '../../src/faults/stack-links.ts';
import { parseSites } from '../../src/stack/sites.ts';

const SITES = parseSites('aws-us-east-1,azure-eastus');
const closing = closeAfterEach();
let dir: string;
let url: string;
let killed: string[];
let running: Map<string, number>;
let inside: StackFaults;
let faults: LocalFaults;

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'faults-'));
  closing(() => fs.rmSync(dir, { recursive: true, force: true }));
  killed = [];
  running = new Map(
    SITES.flatMap(
      ({ site }, at) =>
        [
          [site, at + 1],
          [`${site}.emulators`, at + 11],
        ] as const,
    ),
  );
  const links = await StackLinks.open(SITES);
  closing(() => links.close());
  inside = new StackFaults({
    sites: SITES,
    describe: () =>
      SITES.map((site) => ({ ...site, emulatorsPid: null, faults: {}, hold: holdOf(site.site) })),
    keepers: () =>
      [...running].map(([name, pid]) => ({
        plan: { name },
        pid,
        ready: true,
        announced: () => undefined,
        killBecause: () => {
          running.delete(name);
          killed.push(name);
        },
      })),
    links,
    ephemeral: false,
    onProblem: () => undefined,
  });
  closing(() => inside.close());
  const server = new FaultsServer(inside, 'key');
  closing(() => server.close());
  url = await server.listen();
  describeStack('key');
  faults = localFaults(dir);
});

const holdOf = (site: string): string => path.join(dir, `${site}.hold`);

function describeStack(operatorKey: string): void {
  const sites = SITES.map((site) => ({ ...site, url: 'http://127.0.0.1:1' }));
  fs.writeFileSync(path.join(dir, STACK_FILE), JSON.stringify({ faults: { url }, operatorKey, sites }));
}

test('a site that is stopped is killed and held back, also what starts all the same, until that is lifted', async () => {
  const { id, sentence } = await faults.impose({ kind: 'stop', site: 'azure-eastus' });
  expect(id).toBe('stop:azure-eastus');
  expect(sentence).toMatch(/^azure-eastus is stopped: .* are not started again\.$/);
  expect(killed).toEqual(['azure-eastus', 'azure-eastus.emulators']);
  expect(fs.existsSync(holdOf('azure-eastus'))).toBe(true);
  // Somebody has emptied the folder.
  fs.rmSync(holdOf('azure-eastus'));
  running.set('azure-eastus', 9);
  inside.changed();
  expect(killed).toHaveLength(3);
  expect(fs.existsSync(holdOf('azure-eastus'))).toBe(true);
  await faults.lift(id);
  expect(fs.existsSync(holdOf('azure-eastus'))).toBe(false);
  expect(fs.existsSync(holdOf('aws-us-east-1'))).toBe(false);
});

test('the last living site may be stopped, and that is said, of the first one too', async () => {
  await faults.impose({ kind: 'stop', site: 'azure-eastus' });
  const { sentence } = await faults.impose({ kind: 'stop', site: 'aws-us-east-1' });
  expect(sentence).toContain('No other site lives: nothing serves until one is back.');
  for (const one of await faults.list()) expect(one.sentence).toContain('nothing serves');
});

test('what is on is listed to everybody, the oldest first', async () => {
  const slow = await faults.impose({ kind: 'slow', site: 'azure-eastus', ms: 200 });
  const cut = await faults.impose({
    kind: 'partition',
    site: 'aws-us-east-1',
    peer: 'azure-eastus',
    both: true,
  });
  const on = await localFaults(path.join(dir, STACK_FILE)).list();
  expect(on).toEqual([slow, cut]);
  expect(on).toMatchObject([
    { kind: 'slow', site: 'azure-eastus', ms: 200 },
    { kind: 'partition', site: 'aws-us-east-1', peer: 'azure-eastus', both: true },
  ]);
  expect(new Date(slow.since).toISOString()).toBe(slow.since);
  await faults.liftAll();
  expect(await faults.list()).toEqual([]);
});

test('a fault for a while is lifted by itself', async () => {
  const { since, until = '' } = await faults.impose({ kind: 'throttle', site: 'azure-eastus', forMs: 50 });
  expect(Date.parse(until) - Date.parse(since)).toBe(50);
  await waitUntil('it is lifted', async () => (await faults.list()).length === 0 || undefined);
});

describe('is refused', () => {
  test('a fault that is on already', async () => {
    await faults.impose({ kind: 'slow', site: 'azure-eastus', ms: 200 });
    await expect(faults.impose({ kind: 'slow', site: 'azure-eastus', ms: 300 })).rejects.toMatchObject({
      code: 'already_on',
      message: expect.stringMatching(/^slow:azure-eastus is on since .*; lift it first$/),
    });
  });

  test('an end of what is not on, naming what is', async () => {
    await expect(faults.lift('stop:azure-eastus')).rejects.toMatchObject({
      code: 'not_on',
      message: 'stop:azure-eastus is not on; nothing is',
    });
    await faults.impose({ kind: 'errors', site: 'azure-eastus' });
    await expect(faults.lift('stop:azure-eastus')).rejects.toThrow('on: errors:azure-eastus');
  });

  test('an order with a mistake', async () => {
    await expect(faults.impose({ kind: 'stop', site: 'gcp' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(faults.impose([] as unknown as FaultOrder)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('who has another key, a page of elsewhere, what is no JSON, and another path', async () => {
    describeStack('other');
    await expect(faults.list()).rejects.toThrow('the operator key of stack.json is needed');
    const headers = { authorization: 'Bearer key' };
    const status = async (init: RequestInit, to = url) => (await fetch(to, { headers, ...init })).status;
    expect(await status({ headers: { ...headers, origin: 'https://elsewhere.example' } })).toBe(403);
    expect(await status({ method: 'POST', body: '{' })).toBe(400);
    expect(await status({ method: 'DELETE' }, `${url}/%`)).toBe(400);
    expect(await status({ method: 'PUT' })).toBe(404);
  });

  test('everything, where no stack runs', async () => {
    fs.rmSync(path.join(dir, STACK_FILE));
    await expect(faults.list()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('start one with npm start'),
    });
    await expect(faults.list()).rejects.toThrow(`no stack runs here (${dir})`);
  });
});
