/**
 * While a rollout is under way, and after a rollback, two releases work on the same records: what today's code writes,
 * as records and as events, is read, changed and passed on by the real artefact of the release before, and the other
 * way round. On the real stack, on both clouds.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { localDeploy } from '@tandem-clouds/testkit/cluster/deploy-local';
import { unpackPreviousRelease } from '@tandem-clouds/testkit/cluster/previous-release';
import { depths } from '@tandem-clouds/testkit/cluster/queues';
import { runningAt } from '../../infra/rollout/platform.ts';
import { query, type Response } from '../../infra/rollout/query-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const CLOUDS = ['aws', 'azure'] as const;
const START_WITHIN_MS = 240_000;
const CROSS_WITHIN_MS = 180_000;
const LONG_MS = 240_000;

let stack: OwnStack;
let folder: string;
let deploy: (cloud: string, release: 'new' | 'old') => Promise<void>;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-previous-'));
  const artefacts = unpackPreviousRelease(folder);
  stack = await startOwnStack('--ephemeral', '--log-level', 'warn');
  const onto = localDeploy(stack.dir, (_version, cloud) => artefacts[cloud]);
  deploy = async (cloud, release) => {
    const { site, url } = siteOf(cloud);
    await onto(site, release === 'old' ? 'the release before' : undefined);
    // Otherwise this would compare today's code with itself.
    expect((await runningAt(url)) === undefined).toBe(release === 'new');
  };
}, START_WITHIN_MS);

afterAll(async () => {
  await stack.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

function siteOf(cloud: string): StackSite {
  const site = stack.describe().sites.find((one) => one.cloud === cloud);
  if (site === undefined) throw new Error(`no ${cloud} site`);
  return site;
}

const call = (cloud: string, method: string, target: string, body?: object): Promise<Response> =>
  query(siteOf(cloud).url, method, target, body === undefined ? {} : { body });

/** A record of every shape: created, changed, counted as deleted, and one that expires. */
async function writeAt(cloud: string, name: string): Promise<void> {
  const user = { userId: `${name}-kept`, name, email: `${name}@example.com`, metadata: { by: name } };
  const gone = { ...user, userId: `${name}-gone` };
  const item = { id: name, data: { by: name, list: [1, 'two', null] }, ttlSeconds: 3_600 };
  const statuses = [
    await call(cloud, 'POST', '/users', user),
    await call(cloud, 'PATCH', `/users/${name}-kept`, { name: `${name}, changed` }),
    await call(cloud, 'POST', '/users', gone),
    await call(cloud, 'DELETE', `/users/${name}-gone`),
    await call(cloud, 'POST', '/write', item),
  ].map(({ status }) => status);
  expect(statuses).toEqual([201, 200, 201, 204, 201]);
}

/** What a client sees of those records; waits for what has to cross. */
async function expectAt(cloud: string, name: string, changed = `${name}, changed`): Promise<void> {
  await waitUntil(
    `${name} at ${cloud}`,
    async () => {
      const [kept, item, gone] = await Promise.all([
        call(cloud, 'GET', `/users/${name}-kept`),
        call(cloud, 'GET', `/items/${name}`),
        call(cloud, 'GET', `/users/${name}-gone`),
      ]);
      return kept.json['name'] === changed && item.status === 200 && gone.status === 404 ? true : undefined;
    },
    CROSS_WITHIN_MS,
  );
  const { json } = await call(cloud, 'GET', `/users/${name}-kept`);
  expect(json).toMatchObject({ email: `${name}@example.com`, metadata: { by: name } });
  expect((await call(cloud, 'GET', `/items/${name}`)).json['data']).toEqual({
    by: name,
    list: [1, 'two', null],
  });
}

async function expectNothingDeadLettered(): Promise<void> {
  for (const cloud of CLOUDS) expect((await depths(siteOf(cloud))).dead).toBe(0);
}

describe.each([
  ['aws', 'azure'],
  ['azure', 'aws'],
])('with the release before on %s and today’s on %s', (old, today) => {
  const name = (what: string): string => `${what}-${old}`;

  test(
    'each reads, changes and passes on what the other one writes',
    async () => {
      // Records of today's code in the store that the earlier release takes over, as after a rollback.
      await writeAt(old, name('before'));
      await expectAt(today, name('before'));
      await deploy(old, 'old');
      await expectAt(old, name('before'));

      // Events from today's code, and back.
      await writeAt(today, name('today'));
      await expectAt(old, name('today'));
      await writeAt(old, name('earlier'));
      await expectAt(today, name('earlier'));

      // Each changes a record of the other's.
      await call(old, 'PATCH', `/users/${name('today')}-kept`, { name: 'by the earlier one' });
      await call(today, 'PATCH', `/users/${name('earlier')}-kept`, { name: 'by today’s' });
      for (const cloud of CLOUDS) {
        await expectAt(cloud, name('today'), 'by the earlier one');
        await expectAt(cloud, name('earlier'), 'by today’s');
      }

      // And today's code takes over what the earlier release has written, as after a rollout.
      await deploy(old, 'new');
      for (const what of ['before', 'today', 'earlier']) {
        const changed = { today: 'by the earlier one', earlier: 'by today’s' }[what];
        await expectAt(old, name(what), changed);
      }
      await expectNothingDeadLettered();
    },
    LONG_MS,
  );
});
