/** Faults of the stack of `npm start`, with the real processes: what each does to clients, and that it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import type { ImposedFault, LocalFaults } from '@tandem-clouds/local/faults/fault-order';
import { localFaults } from '@tandem-clouds/local/faults/local-faults';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { OperatorApi } from '@tandem-clouds/operator/operator-api';
import { isAlive } from '../helpers/alive.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');
/** Regions that no other test uses: sites of one name share a build folder. */
const AWS = 'aws-eu-south-2';
const AZURE = 'azure-spaincentral';

let stack: OwnStack;
let faults: LocalFaults;

beforeAll(async () => {
  stack = await startOwnStack('--sites', `${AWS},${AZURE}`, '--log-level', 'warn', '--types', 'off');
  faults = localFaults(stack.dir);
});

afterAll(async () => {
  await stack.stop();
});

/** Everything serves again before the next test. */
afterEach(async () => {
  if (!fs.existsSync(stack.dir)) return;
  await faults.liftAll();
  await waitUntil('both sites serve', () => stack.describe().sites.every(({ ready }) => ready) || undefined);
});

function site(name: string): StackSite {
  const found = stack.describe().sites.find((one) => one.site === name);
  if (found === undefined) throw new Error(`no site ${name}`);
  return found;
}

function write(base: string, id: string): Promise<Response> {
  return fetch(`${base}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, data: { id } }),
  });
}

/** A site that was away answers nobody at first. */
async function arrives(at: string, id: string): Promise<void> {
  const isThere = () =>
    fetch(`${site(at).url}/items/${id}`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  await waitUntil(`${id} is at ${at}`, isThere);
}

/** Keys of the sender that its peer does not hold. */
async function pending(at: string): Promise<string[]> {
  const api = new OperatorApi({ ...site(at), operatorKey: stack.describe().operatorKey });
  return (await api.pending()).peers.flatMap(({ keys }) => keys.map(({ key }) => key));
}

async function tandem(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ['scripts/tandem.ts', ...args, '--stack', stack.dir], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text;
}

test('a cloud that is stopped stays away while the other serves, and converges when it is back', async () => {
  const { id } = await faults.impose({ kind: 'stop', site: AWS });
  const before = site(AZURE).bridgePid;
  expect((await write(site(AZURE).url, 'while-stopped')).status).toBe(201);
  await waitUntil('the edge goes round it', async () => {
    const responses = await Promise.all([1, 2, 3, 4].map(() => fetch(`${stack.describe().edge.url}/region`)));
    return responses.every((one) => one.headers.get('x-tandem-site') === AZURE) || undefined;
  });
  // Whatever is killed and not held back is there again by now.
  process.kill(site(AZURE).pid ?? 0, 'SIGKILL');
  await waitUntil('the other one is back', () => {
    const { ready, bridgePid } = site(AZURE);
    return (ready && bridgePid !== before) || undefined;
  });
  expect(site(AWS)).toMatchObject({ pid: null, bridgePid: null, emulatorsPid: null, ready: false });
  expect(await pending(AZURE)).toContain('item:while-stopped');
  await faults.lift(id);
  await arrives(AWS, 'while-stopped');
});

test('what cannot cross is at risk at its sender, the other way goes on, and all crosses when it can', async () => {
  await faults.impose({ kind: 'partition', site: AWS, peer: AZURE });
  expect((await write(site(AWS).url, 'there')).status).toBe(201);
  expect((await write(site(AZURE).url, 'back')).status).toBe(201);
  await arrives(AWS, 'back');
  await waitUntil('it is at risk', async () => (await pending(AWS)).includes('item:there') || undefined);
  expect((await fetch(`${site(AZURE).url}/items/there`)).status).toBe(404);
  await faults.liftAll();
  await arrives(AZURE, 'there');
  await waitUntil(
    'nothing is at risk',
    async () => !(await pending(AWS)).includes('item:there') || undefined,
  );
});

test.each([AWS, AZURE])('%s that is slow answers so much later', async (name) => {
  await faults.impose({ kind: 'slow', site: name, ms: 400 });
  const begunAt = performance.now();
  expect((await write(site(name).url, `slow-${name}`)).status).toBe(201);
  expect(performance.now() - begunAt).toBeGreaterThanOrEqual(400);
});

test.each([AWS, AZURE])(
  '%s that is throttled refuses for now and says so, and its peer serves',
  async (name) => {
    await faults.impose({ kind: 'throttle', site: name });
    const refused = await write(site(name).url, `throttled-${name}`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ code: 'unavailable' });
    const other = name === AWS ? AZURE : AWS;
    expect((await write(site(other).url, `beside-${name}`)).status).toBe(201);
    await faults.liftAll();
    await arrives(name, `beside-${name}`);
  },
);

test('emulators that are killed fail again when they are back, without anybody who orders it', async () => {
  await faults.impose({ kind: 'errors', site: AZURE });
  const { emulatorsPid } = site(AZURE);
  process.kill(emulatorsPid ?? 0, 'SIGKILL');
  await waitUntil('they have their rules again', async () => {
    const now = site(AZURE);
    const url = now.faults['cosmos'];
    if (now.emulatorsPid === emulatorsPid || url === undefined) return undefined;
    const rules = (await (await fetch(url)).json()) as unknown[];
    return rules.length > 0 || undefined;
  });
  expect((await write(site(AZURE).url, 'refused')).status).toBe(503);
});

test('a fault outlives the command that imposed it, and any other command ends it', async () => {
  const imposed = await tandem('fault', 'slow', AZURE, '--ms', '10');
  expect(imposed).toContain(`To end it: npm run tandem -- fault lift slow:${AZURE}`);
  const listed = JSON.parse(await tandem('fault', 'list', '--json')) as ImposedFault;
  expect(listed).toMatchObject({ id: `slow:${AZURE}`, kind: 'slow', ms: 10 });
  expect(await tandem('fault', 'lift', 'all')).toBe(`slow:${AZURE} is lifted.\n`);
  expect(await tandem('fault', 'list')).toBe('No fault is on.\n');
});

test('a stack that stops while one cloud is frozen and the other held back leaves no process behind', async () => {
  const { sites, pid } = stack.describe();
  const pids = [pid, ...sites.flatMap((one) => [one.pid, one.bridgePid, one.emulatorsPid])].map(Number);
  await faults.impose({ kind: 'freeze', site: AWS });
  await faults.impose({ kind: 'stop', site: AZURE });
  await expect(fetch(`${site(AWS).url}/region`, { signal: AbortSignal.timeout(500) })).rejects.toThrow(
    /timeout/,
  );
  await stack.stop();
  expect(pids.filter(isAlive)).toEqual([]);
});
