/**
 * Each service definition by itself, as the Serverless CLI is meant to be used: `sls offline` and `sls invoke local` in
 * a fresh clone, without any address of a service, alone and beside the other.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runs, type SiteRegistry } from '@tandem-clouds/local/one-site/site-registry';
import { isAlive } from '../helpers/alive.ts';
import { type Command, FreshClone } from '../helpers/fresh-clone.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const SERVES_WITHIN_MS = 240_000;
const REPLICATED_WITHIN_MS = 120_000;
const TEST_MS = 420_000;

const definitions = [
  { cloud: 'aws', site: 'aws-us-east-1', emulators: ['DynamoDB', 'SQS'], beside: 'azure' },
  { cloud: 'azure', site: 'azure-eastus', emulators: ['Cosmos DB', 'Service Bus'], beside: undefined },
] as const;

let clone: FreshClone;

interface Served {
  readonly command: Command;
  readonly url: string;
}

/** Begins `sls offline` and returns it with the site's address, once that serves. */
async function offline(cloud: string, env: Record<string, string> = {}): Promise<Served> {
  const command = clone.sls(['offline', '-c', `serverless.${cloud}.yml`], env);
  const url = await waitUntil(
    `the ${cloud} site serves`,
    () => {
      if (command.child.exitCode !== null) throw new Error(`it ended:\n${command.output()}`);
      return / serves at (http:\S+) after/.exec(command.output())?.[1];
    },
    SERVES_WITHIN_MS,
  );
  return { command, url };
}

async function write(url: string, id: string): Promise<void> {
  const response = await fetch(`${url}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, data: { at: id } }),
  });
  expect(response.status).toBe(201);
}

async function arrives(url: string, id: string): Promise<void> {
  await waitUntil(
    `${id} is at ${url}`,
    async () => (await fetch(`${url}/items/${id}`)).ok || undefined,
    REPLICATED_WITHIN_MS,
  );
}

async function interrupt({ child, ended }: Command): Promise<number | null> {
  child.kill('SIGINT');
  return await ended;
}

/** Of every process below this one that Linux knows of. */
function descendants(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!fs.existsSync(file)) return [];
  const children = fs.readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** Starts the other definition in the same clone, and ends it. */
async function exchange(first: Served, cloud: 'azure'): Promise<void> {
  await write(first.url, 'while-alone');
  const second = await offline(cloud);
  await waitUntil(
    'the second has noticed the first',
    () => second.command.output().includes('aws-us-east-1 runs too') || undefined,
  );
  await waitUntil(
    'the first has noticed the second',
    () => first.command.output().includes('azure-eastus runs too') || undefined,
  );
  await Promise.all([write(first.url, 'from-aws'), write(second.url, 'from-azure')]);
  await Promise.all([
    ...['kept', 'while-alone', 'from-aws'].map((id) => arrives(second.url, id)),
    arrives(first.url, 'from-azure'),
  ]);

  // Against the site that runs: its own emulators, not others.
  const invoked = clone.sls([
    ...['invoke', 'local', '-c', 'serverless.aws.yml', '-f', 'items', '--data'],
    JSON.stringify(getItem('from-azure')),
  ]);
  expect([await invoked.ended, invoked.output()]).toEqual([0, expect.stringContaining('"statusCode": 200')]);
  expect(await interrupt(second.command)).toBe(0);
}

describe.each(definitions)(
  'serverless.$cloud.yml alone, in a fresh clone',
  ({ cloud, site, emulators, beside }) => {
    beforeAll(() => {
      clone = new FreshClone();
    });

    afterAll(async () => {
      await clone.remove();
    });

    test(
      'starts with emulators of its own, says where they are, serves and ends on Ctrl-C',
      async () => {
        // Whoever is signed in somewhere: nothing of it is used.
        const signedIn = {
          AWS_PROFILE: 'production',
          AWS_ACCESS_KEY_ID: 'AKIAPRODUCTION',
          AZURE_CLIENT_ID: 'production',
        };
        const first = await offline(cloud, signedIn);
        for (const name of emulators) {
          expect(first.command.output()).toMatch(new RegExp(`${name} +(http|sb)://127\\.0\\.0\\.1:\\d+`));
        }
        await waitUntil('what is said of the other site', () =>
          /(aws|azure)-\S+ does not run: what is written here waits for it/.test(first.command.output())
            ? true
            : undefined,
        );
        expect(await (await fetch(`${first.url}/region`)).json()).toMatchObject({ cloud, site });
        await write(first.url, 'kept');

        const second = clone.sls(['offline', '-c', `serverless.${cloud}.yml`]);
        expect(await second.ended).toBe(1);
        expect(second.output()).toContain(`${site} runs already`);

        const pids = descendants(first.command.child.pid ?? 0);
        expect(pids.length === 0).toBe(process.platform !== 'linux');
        expect(await interrupt(first.command)).toBe(0);
        // Whoever has been killed is gone once the system has taken it away.
        await waitUntil('all are gone', () => !pids.some(isAlive) || undefined);
        expect(fs.existsSync(path.join(clone.dir, '.tandem/data', site))).toBe(true);
      },
      TEST_MS,
    );

    test(
      beside === undefined
        ? 'keeps the data for the next start'
        : `keeps the data, and finds ${beside} when that starts: what either wrote before and after reaches the other`,
      async () => {
        const again = await offline(cloud);
        expect((await fetch(`${again.url}/items/kept`)).status).toBe(200);
        if (beside !== undefined) await exchange(again, beside);
        expect(await interrupt(again.command)).toBe(0);
      },
      TEST_MS,
    );

    test(
      'sls invoke local runs a function against emulators, without a login',
      async () => {
        const { ended, output } = clone.sls([
          'invoke',
          'local',
          '-c',
          `serverless.${cloud}.yml`,
          '-f',
          'region',
        ]);
        expect([await ended, output()]).toEqual([0, expect.stringContaining(site)]);
        const registry = JSON.parse(
          fs.readFileSync(path.join(clone.dir, '.tandem/sites.json'), 'utf8'),
        ) as SiteRegistry;
        expect(registry.sites.filter(runs)).toEqual([]);
      },
      TEST_MS,
    );

    test(
      'ends with status 1 and the mistake when a variable is wrong',
      async () => {
        const { ended, output } = clone.sls(['offline', '-c', `serverless.${cloud}.yml`], {
          TANDEM_PEERS: 'nobody',
        });
        expect([await ended, output()]).toEqual([
          1,
          expect.stringMatching(/^(?:Worker was unable.*: )?configuration: TANDEM_PEERS: must be array$/m),
        ]);
        expect(output()).not.toContain('goroutine');
      },
      TEST_MS,
    );

    test(
      'ends with status 1 and the reason when a function cannot be bundled',
      async () => {
        const file = path.join(clone.dir, 'src/handlers/region.ts');
        fs.writeFileSync(file, 'export const handler = (;\n');
        const { ended, output } = clone.sls(['offline', '-c', `serverless.${cloud}.yml`]);
        expect(await ended).toBe(1);
        expect(output()).toContain('region.ts');
      },
      TEST_MS,
    );
  },
);

/** An event of API Gateway's HTTP API, payload format 2.0. */
function getItem(id: string) {
  return {
    version: '2.0',
    routeKey: 'ANY /items/{proxy+}',
    rawPath: `/items/${id}`,
    rawQueryString: '',
    headers: {},
    requestContext: {
      http: { method: 'GET', path: `/items/${id}`, sourceIp: '127.0.0.1' },
      requestId: 'test',
    },
    isBase64Encoded: false,
  };
}
