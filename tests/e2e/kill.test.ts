/**
 * The promise of the product, on the real stack with real processes: writes at one cloud go on while the other
 * cloud's host, then its stores and queues, then the bridge are killed with SIGKILL, and every one of them arrives; and so do
 * the bytes of what is uploaded meanwhile.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Stack, StackSite } from '@tandem-clouds/command-line/running-stack';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { stateName } from '@tandem-clouds/replication/record';
import { latestOf, untilHeld } from '@tandem-clouds/testkit/chaos/objects/run';
import { UploadClients } from '@tandem-clouds/testkit/chaos/objects/uploads';
import type { Endpoint } from '@tandem-clouds/testkit/cluster/request';
import { Random } from '@tandem-clouds/testkit/random';
import { storeOf } from '../helpers/stack.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const WRITES = 1_000;
const UPLOADS = 16;
const SEED = 5;
const CONCURRENCY = 16;
const START_WITHIN_MS = 240_000;
const RECOVER_WITHIN_MS = 240_000;

let stack: OwnStack;

beforeAll(async () => {
  stack = await startOwnStack();
}, START_WITHIN_MS);

afterAll(() => stack.stop());

const siteOf = (description: Stack, cloud: string): StackSite => {
  const site = description.sites.find((candidate) => candidate.cloud === cloud);
  if (site === undefined) throw new Error(`no ${cloud} site`);
  return site;
};

/** Writes `WRITES` items at a site and returns id → ETag of those acknowledged; `onCount` runs after each. */
async function writeAll(
  url: string,
  prefix: string,
  onCount: (count: number) => Promise<void>,
): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < WRITES) {
      const id = `${prefix}-${next}`;
      next += 1;
      const response = await fetch(`${url}/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, data: { id } }),
      });
      const text = await response.text();
      if (response.status !== 201) throw new Error(`${id}: ${response.status} ${text}`);
      acknowledged.set(id, response.headers.get('etag') ?? '');
      await onCount(acknowledged.size);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return acknowledged;
}

/** Uploads of 1 kB to 20 MB, one after the other. */
async function uploadAll(clients: UploadClients, [endpoint]: readonly Endpoint[]): Promise<void> {
  if (endpoint === undefined) throw new Error('no site to upload to');
  while (clients.count < UPLOADS) await clients.upload(endpoint);
}

/** Kills what `pid` finds and waits until something else has taken its place. */
async function killAndWait(what: string, pid: (site: Stack) => number | null): Promise<void> {
  const victim = await waitUntil(`${what} runs`, () => pid(stack.describe()) ?? undefined, RECOVER_WITHIN_MS);
  process.kill(victim, 'SIGKILL');
  await waitUntil(
    `${what} is back`,
    () => {
      const now = pid(stack.describe());
      return now !== null && now !== victim ? now : undefined;
    },
    RECOVER_WITHIN_MS,
  );
}

describe.each([
  ['aws', 'azure'],
  ['azure', 'aws'],
])('writes at %s while %s and then the bridge are killed', (here, there) => {
  test(
    'all are acknowledged, all arrive as they were written, and no marker remains',
    async () => {
      const site = (cloud: string): StackSite => siteOf(stack.describe(), cloud);
      const kills: Promise<void>[] = [];
      const endpoints = stack.describe().sites.map(({ site: name, url }) => ({ name, url }));
      const clients = new UploadClients(new Random(SEED), endpoints);
      const uploading = uploadAll(
        clients,
        endpoints.filter(({ name }) => name.startsWith(here)),
      );
      const acknowledged = await writeAll(site(here).url, `kill-${here}`, async (count) => {
        const kill = {
          [WRITES * 0.2]: () => killAndWait(`${there}'s host`, (now) => siteOf(now, there).pid),
          [WRITES * 0.4]: () =>
            killAndWait(`${there}'s stores and queues`, (now) => siteOf(now, there).emulatorsPid),
          [WRITES * 0.6]: () => killAndWait(`${here}'s bridge`, (now) => siteOf(now, here).bridgePid),
        }[count];
        // One kill at a time: the next waits until the victim of the one before has been replaced.
        if (kill !== undefined) kills.push((kills.at(-1) ?? Promise.resolve()).then(kill));
        await Promise.resolve();
      });
      await Promise.all([...kills, uploading]);
      expect(kills).toHaveLength(3);
      expect(acknowledged.size).toBe(WRITES);

      const keys = [...acknowledged.keys()].map((id) => `item:${id}`);
      const source = storeOf(site(here));
      const target = storeOf(site(there));
      // What is there as it was written stays so: only the others are asked for again, and all of them at the end.
      let missing: readonly string[] = keys;
      await waitUntil(
        `${there} holds every write`,
        async () => {
          missing = await missingAt(target, missing, acknowledged);
          if (missing.length > 0) return undefined;
          missing = await missingAt(target, keys, acknowledged);
          return missing.length === 0 || undefined;
        },
        RECOVER_WITHIN_MS,
      );
      await waitUntil(
        'no marker remains',
        async () => ((await source.pending(Date.now() + 1_000, 10)).length === 0 ? true : undefined),
        RECOVER_WITHIN_MS,
      );
      await expectSingleEffect(target, source, keys);

      const objects = latestOf(clients.uploads);
      expect(objects.size).toBeGreaterThan(UPLOADS / 2);
      const urls = stack.describe().sites.map(({ site: name, url }) => ({ name, url }));
      expect(await untilHeld(urls, objects, () => undefined)).toBeDefined();
      for (const [name, id] of objects)
        for (const endpoint of urls)
          expect(await clients.read(name, id, endpoint)).toMatchObject({ name, outcome: 'right' });
    },
    START_WITHIN_MS + 3 * RECOVER_WITHIN_MS,
  );
});

/** The keys that a store lacks, or holds in another state than the acknowledged one. */
async function missingAt(
  store: Store,
  keys: readonly string[],
  acknowledged: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const held = await store.getMany(keys).catch(() => new Map<string, never>());
  return keys.filter((key) => {
    const versioned = held.get(key);
    const expected = acknowledged.get(key.slice('item:'.length));
    return versioned === undefined || `"${stateName(versioned.record.state)}"` !== expected;
  });
}

/** The states are the same to the byte, and one write made each: every field carries the stamp of the one write. */
async function expectSingleEffect(target: Store, source: Store, keys: readonly string[]): Promise<void> {
  const [there, here] = await Promise.all([target.getMany(keys), source.getMany(keys)]);
  const different = keys.filter((key) => {
    const [a, b] = [there.get(key)?.record, here.get(key)?.record];
    const stamps = new Set(Object.values(a?.state.fields ?? {}).map(([stamp]) => stamp));
    return (
      JSON.stringify(a?.state.fields) !== JSON.stringify(b?.state.fields) ||
      stamps.size !== 1 ||
      a?.version !== undefined
    );
  });
  expect(different).toEqual([]);
}
