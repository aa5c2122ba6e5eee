/** Sites that are left are given more while a site is lost, at emulators of both clouds' control planes, and it is put back once. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AzureControlPlane,
  startAzureControlPlane,
} from '@tandem-clouds/emulators/azure-control-plane/server';
import { type LambdaServer, startLambda } from '@tandem-clouds/emulators/lambda/server';
import type { MonitorCommandContext } from '../../../dns/command/monitor-line.ts';
import { runbookCommand } from '../../../dns/command/runbook-command.ts';
import { cosmosMaxThroughput } from '../../../dns/monitor/capacity/cosmos.ts';
import { alwaysReady } from '../../../dns/monitor/capacity/flex.ts';
import { provisionedConcurrency } from '../../../dns/monitor/capacity/lambda.ts';
import type { Scalers } from '../../../dns/monitor/capacity/level.ts';
import { placesOf } from '../../../dns/monitor/capacity/places.ts';
import { resourceManager } from '../../../dns/monitor/capacity/resource-manager.ts';
import { Monitor } from '../../../dns/monitor/monitor.ts';
import type { MonitorContext } from '../../../dns/monitor/monitor-context.ts';
import { parseRunbooks } from '../../../dns/monitor/runbook.ts';
import { readSettings } from '../../../dns/monitor/settings.ts';
import { capacityPrices } from '../../../scripts/cost/capacity-prices.ts';
import { A, B, monitorWorld, type World } from '../../helpers/dns/monitor-world.ts';

const RAISING = `
description: A site does not answer.
trigger: { when: { unhealthy: true }, forSeconds: 20, samples: 3 }
clear: { forSeconds: 60, maxSeconds: 600 }
actions:
  - do: failover
  - { do: raiseCapacity, provisionedConcurrency: 5, alwaysReady: 4, cosmosMaxThroughput: 8000 }
over:
  - { do: restore, now: true }
  - do: restoreCapacity
`;
const APP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/tandem-eastus';
const ACCOUNT = '/subscriptions/s/resourceGroups/g/providers/Microsoft.DocumentDB/databaseAccounts/c';
const CONTAINER = `${ACCOUNT}/sqlDatabases/tandem/containers/records`;
const TOKEN = 'token';

let world: World;
let azure: AzureControlPlane;
let lambda: LambdaServer;
beforeEach(async () => {
  world = await monitorWorld();
  azure = await startAzureControlPlane({
    subscription: 's',
    login: { tenant: 't', client: 'c', assertion: 'a', token: TOKEN },
    packages: { contentsOf: () => [], functionsIn: () => [] } as never,
  });
  azureSite({ ready: 1 });
  lambda = await startLambda({
    functions: {
      users: { memoryMb: 512, aliases: ['provisioned'] },
      items: { memoryMb: 512, aliases: ['provisioned'] },
      region: { memoryMb: 512, aliases: [] },
    },
    provisioned: { 'users:provisioned': 1 },
  });
});
afterEach(async () => {
  await world.server.close();
  await azure.close();
  await lambda.close();
});

/** @param ready Always-ready instances for HTTP; @param serverless Of the account. */
function azureSite({ ready, serverless = false }: { ready: number; serverless?: boolean }): void {
  const resource = (type: string, name: string, properties: object) => ({
    ...{ id: name, type, name, apiVersion: '2024-04-01', made: true, dependsOn: [] },
    body: { properties },
  });
  azure.manager.groups.set('g', {
    ...{ name: 'g', location: 'eastus', tags: {}, deployments: new Map() },
    resources: new Map(
      [
        resource('Microsoft.Web/sites', 'tandem-eastus', {
          functionAppConfig: {
            runtime: { name: 'node', version: '24' },
            deployment: { storage: {} },
            scaleAndConcurrency: {
              ...{ instanceMemoryMB: 2048, maximumInstanceCount: 100 },
              alwaysReady: [
                { name: 'function:apply', instanceCount: 2 },
                ...(ready > 0 ? [{ name: 'http', instanceCount: ready }] : []),
              ],
            },
          },
        }),
        resource('Microsoft.DocumentDB/databaseAccounts', 'c', {
          capabilities: serverless ? [{ name: 'EnableServerless' }] : [],
        }),
      ].map((one) => [one.id, one]),
    ),
  });
  azure.manager.throughputs.set('c/tandem/records', { max: 4_000, highest: 4_000 });
}

function scalers({ sites = [A, B] }: { readonly sites?: readonly string[] } = {}): Scalers {
  const { clock } = world;
  const place = { region: 'us-east-1', functions: ['users', 'items', 'region'], alias: 'provisioned' };
  const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
  const manager = resourceManager({
    clock,
    token: () => Promise.resolve(TOKEN),
    endpoint: `http://127.0.0.1:${azure.port}`,
  });
  const all: Scalers = new Map([
    [A, [provisionedConcurrency({ clock, place, config: { endpoint: lambda.url, credentials } })]],
    [B, [alwaysReady(manager, APP), cosmosMaxThroughput(manager, CONTAINER)]],
  ]);
  return new Map([...all].filter(([site]) => sites.includes(site)));
}

interface Watching {
  readonly monitor: Monitor;
  readonly lines: string[];
}

function watching(more: Partial<MonitorContext> = {}, runbook = RAISING): Watching {
  const monitorContext = world.monitorContext({ scalers: scalers(), ...more });
  const runbooks = world.runbooks(runbook);
  return {
    lines: monitorContext.lines,
    monitor: new Monitor({ monitorContext, runbooks, intervalMs: 10_000, gapMs: 60_000 }),
  };
}

async function looks({ monitor }: Watching, count: number): Promise<void> {
  for (let look = 0; look < count; look += 1) {
    world.check();
    await monitor.sample();
    await world.clock.sleep(10_000);
  }
}

const provisioned = (): Record<string, number> =>
  Object.fromEntries(
    [...lambda.provisioned].map(([key, { requested }]): [string, number] => [
      key.replace(':provisioned', ''),
      requested,
    ]),
  );

function groups(): unknown {
  const body = azure.manager.groups.get('g')!.resources.get('tandem-eastus')!.body;
  const { functionAppConfig } = body['properties'] as {
    functionAppConfig: { scaleAndConcurrency: { alwaysReady: { name: string; instanceCount: number }[] } };
  };
  const { alwaysReady: list } = functionAppConfig.scaleAndConcurrency;
  return Object.fromEntries(list.map(({ name, instanceCount }) => [name, instanceCount]));
}

const throughput = (): number => {
  const one = azure.manager.throughputs.get('c/tandem/records')!;
  return one.pending?.to ?? one.max;
};

const changes = (): number =>
  lambda.requested.filter(({ method }) => method !== 'GET').length +
  azure.requested.filter((line) => /^(PATCH|PUT) /.test(line)).length;

async function lose(site: string, one: Watching): Promise<void> {
  world.up[site] = false;
  await looks(one, 4);
}

async function recover(site: string, one: Watching): Promise<void> {
  world.up[site] = true;
  await looks(one, 10);
}

describe('the sites that are left', () => {
  it('on AWS get provisioned concurrency where there is an alias, and have what they had afterwards', async () => {
    const one = watching();
    await lose(B, one);
    expect(provisioned()).toEqual({ users: 5, items: 5 });
    expect((await world.zone()).incidents).toMatchObject([
      { did: ['x', 'x'], raised: { [A]: { provisionedConcurrency: { users: [1, 5], items: [0, 5] } } } },
    ]);
    await recover(B, one);
    expect(provisioned()).toEqual({ users: 1 });
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed', undid: ['x', 'x'] }]);
    expect((await world.zone()).incidents[0]).not.toHaveProperty('raised');
    expect(groups()).toEqual({ 'function:apply': 2, http: 1 });
  });

  it('on Azure get instances and throughput, and nothing else of the app is touched', async () => {
    const one = watching();
    await lose(A, one);
    expect(groups()).toEqual({ 'function:apply': 2, http: 4 });
    expect(throughput()).toBe(8_000);
    await looks(one, 3);
    await recover(A, one);
    expect(groups()).toEqual({ 'function:apply': 2, http: 1 });
    expect(throughput()).toBe(4_000);
    expect(lambda.requested).toEqual([]);
  });

  it('that have nothing of the kind are left alone: serverless, another plan, no alias', async () => {
    azureSite({ ready: 0, serverless: true });
    const one = watching();
    await lose(A, one);
    expect(groups()).toEqual({ 'function:apply': 2, http: 4 });
    expect(throughput()).toBe(4_000);
    await recover(A, one);
    expect(groups()).toEqual({ 'function:apply': 2 });
  });

  it('that have more already keep it', async () => {
    azureSite({ ready: 9, serverless: true });
    const one = watching();
    await lose(A, one);
    expect(changes()).toBe(0);
    expect((await world.zone()).incidents).toMatchObject([{ did: ['x', 's'] }]);
    await recover(A, one);
    expect(changes()).toBe(0);
    expect(one.lines.join('\n')).toContain('restoreCapacity: no monitor has raised anything');
  });

  it('are not raised beyond a limit of the service, and the error names field and rule', async () => {
    azure.manager.throughputMax = 6_000;
    const text = RAISING.replace('alwaysReady: 4', 'alwaysReady: 99');
    const one = watching({}, text);
    await lose(A, one);
    expect(changes()).toBe(0);
    const said = one.lines.join('\n');
    expect(said).toContain(
      "alwaysReady: 99 and 2 of other groups are more than the app's maximumInstanceCount, 100 (maximum)",
    );
    expect(said).toContain(
      'cosmosMaxThroughput: 8000 is more than the 6000 that the container may have (maximum)',
    );
    const tenfold = watching({}, RAISING.replace('8000', '41000'));
    azure.manager.throughputMax = 1_000_000;
    await looks(tenfold, 1);
    expect(tenfold.lines.join('\n')).toContain(
      'more than 10 times what it has, 40000: it could not be put back',
    );
  });

  it('are refused more concurrency than the account leaves', async () => {
    await lambda.close();
    lambda = await startLambda({
      functions: { users: { memoryMb: 512, aliases: ['provisioned'] } },
      concurrentExecutions: 103,
    });
    const one = watching();
    await lose(B, one);
    expect(one.lines.join('\n')).toContain(
      'provisionedConcurrency: 1 functions at 5 need 5 more, and the account has 3 beside the 100 that stay unreserved (maximum)',
    );
    expect(changes()).toBe(0);
  });
});

describe('what there was', () => {
  it('is in the zone before anything is changed', async () => {
    const dies = new Error('killed');
    const [scaler] = scalers().get(A)!;
    const one = watching({
      scalers: new Map([[A, [{ ...scaler!, set: () => Promise.reject(dies) }]]]),
    });
    await expect(lose(B, one)).rejects.toBe(dies);
    expect((await world.zone()).incidents).toMatchObject([
      { did: ['x', 'p'], raised: { [A]: { provisionedConcurrency: { users: [1, 5], items: [0, 5] } } } },
    ]);
    expect(changes()).toBe(0);
  });

  it('is finished by the next monitor when one dies between two changes, and put back by a third', async () => {
    const [scaler] = scalers().get(A)!;
    let count = 0;
    const dying = {
      ...scaler!,
      set: async (part: string, level: number) => {
        count += 1;
        if (count > 1) throw new Error('killed');
        await scaler!.set(part, level);
      },
    };
    await expect(lose(B, watching({ scalers: new Map([[A, [dying]]]) }))).rejects.toThrow('killed');
    expect(provisioned()).toEqual({ users: 5 });
    await looks(watching(), 1);
    expect(provisioned()).toEqual({ users: 5, items: 5 });
    await recover(B, watching());
    expect(provisioned()).toEqual({ users: 1 });
  });

  it('is put back once, also when the monitor dies on the way back', async () => {
    const one = watching();
    await lose(B, one);
    const [scaler] = scalers().get(A)!;
    let count = 0;
    const dying = {
      ...scaler!,
      set: async (part: string, level: number) => {
        await scaler!.set(part, level);
        count += 1;
        if (count === 1) throw new Error('killed');
      },
    };
    await expect(recover(B, watching({ scalers: new Map([[A, [dying]]]) }))).rejects.toThrow('killed');
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'over' }]);
    const before = changes();
    const next = watching();
    await looks(next, 3);
    expect(provisioned()).toEqual({ users: 1 });
    expect(changes()).toBe(before + 1);
    expect(next.lines.join('\n')).toContain('users is at 1 already, items back to 0');
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed' }]);
    await looks(next, 10);
    expect(changes()).toBe(before + 1);
  });

  it('is not forgotten by an incident that comes back before it is over', async () => {
    const one = watching();
    await lose(B, one);
    const fault = { matches: ({ method }: { method: string }) => method === 'PUT', times: Infinity };
    lambda.faults.push({ ...fault, response: { status: 400, body: '{"Message":"no"}' } });
    world.up[B] = true;
    await looks(one, 9);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'over', undid: ['x', '-'] }]);
    lambda.faults.length = 0;
    await lose(B, one);
    expect((await world.zone()).incidents).toMatchObject([
      { phase: 'open', flaps: 1, raised: { [A]: { provisionedConcurrency: { users: [1, 5] } } } },
    ]);
    world.up[B] = true;
    await looks(one, 20);
    expect(provisioned()).toEqual({ users: 1 });
  });

  it('is left when somebody has set something else meanwhile', async () => {
    const one = watching();
    await lose(B, one);
    await scalers().get(A)![0]!.set('users', 7);
    await recover(B, one);
    expect(provisioned()).toEqual({ users: 7 });
    expect(one.lines.join('\n')).toContain('users is left: somebody has set it to 7');
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed' }]);
  });

  it('is done by the monitor that may, when the other one may not', async () => {
    const without = watching({ scalers: new Map() });
    await lose(B, without);
    expect(without.lines.join('\n')).toContain(
      `${A} provisionedConcurrency: left to a monitor that may change it`,
    );
    const may = watching();
    await looks(may, 1);
    expect(provisioned()).toEqual({ users: 5, items: 5 });
    world.up[B] = true;
    await looks(without, 9);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'over', undid: ['x', '-'] }]);
    await looks(may, 1);
    expect(provisioned()).toEqual({ users: 1 });
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed' }]);
  });
});

describe('a control plane in trouble', () => {
  it.each([
    ['refuses the identity', () => (azure.expired = true), 'the identity at Azure is missing or not allowed'],
    [
      'has another operation under way',
      () => (azure.manager.throughputs.get('c/tandem/records')!.pending = { to: 5_000, looksLeft: 999 }),
      'still throttling after many tries (HTTP 409 Conflict',
    ],
  ])('that %s does not stop the failover, and is said', async (_title, break_, said) => {
    break_();
    const one = watching();
    await lose(A, one);
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
    expect(one.lines.join('\n')).toContain(said);
    expect((await world.zone()).incidents[0]!.did[1]).not.toBe('x');
  });
});

describe('a dry run', () => {
  it('says what would be raised and what an hour of it costs at most, and changes nothing', async () => {
    const said: string[] = [];
    const monitorContext = world.monitorContext({ scalers: scalers() });
    const runbooks = world.runbooks(RAISING);
    const commandContext: MonitorCommandContext = {
      ...monitorContext,
      out: (text) => void said.push(text),
      err: () => undefined,
      colour: false,
      providerFor: () => Promise.resolve(world.fresh()),
      settings: readSettings({}),
      prices: capacityPrices,
    };
    const line = {
      ...{ name: 'lost', over: false, dryRun: true, yes: false, json: false },
      ...{ policy: '', stack: '', runbooks: '' },
    };
    for (const site of [A, B])
      await runbookCommand({ ...line, site }, commandContext, { monitorContext, runbooks });
    // 2 GB for three more instances at 0.0144, and 4,000 units at 0.00012; half a GB for nine more at 0.012.
    expect(said.join('')).toContain(`${B} alwaysReady to 4: http from 1; at most 0.09 USD an hour more`);
    expect(said.join('')).toContain(
      `${B} cosmosMaxThroughput to 8000: records from 4000; at most 0.48 USD an hour more`,
    );
    expect(said.join('')).toContain(
      `${A} provisionedConcurrency to 5: users from 1, items from 0; at most 0.05 USD an hour more`,
    );
    expect(changes()).toBe(0);
  });
});

describe('a runbook that raises', () => {
  const mistakes = (text: string): string => {
    try {
      parseRunbooks([{ file: 'one.yml', text }], world.policy);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    [
      'nothing',
      RAISING.replace(/, provisionedConcurrency.*8000/, ''),
      '/actions/1: must NOT have fewer than 2 properties',
    ],
    [
      'half a step of throughput',
      RAISING.replace('8000', '8500'),
      '/actions/1/cosmosMaxThroughput: must be multiple of 1000',
    ],
    [
      'no instances',
      RAISING.replace('alwaysReady: 4', 'alwaysReady: 0'),
      '/actions/1/alwaysReady: must be >= 1',
    ],
    ['for good', RAISING.replace('\n  - do: restoreCapacity', ''), '/actions/1: what is raised is put back'],
    [
      'until before the traffic is back',
      RAISING.replace('\n  - do: restoreCapacity', '').replace('over:', 'over:\n  - do: restoreCapacity'),
      'restoreCapacity, after restore (restoreCapacity)',
    ],
  ])('%s is a mistake', (_title, text, message) => {
    expect(mistakes(text)).toContain(message);
  });

  it('is told what is wrong in TANDEM_CAPACITY, all at once', () => {
    const found: string[] = [];
    placesOf('{"a":{"lamda":1,"app":"x"},"b":7,"c":{"lambda":{"region":"r"},"container":"/x"}}', found);
    expect(found).toEqual([
      'TANDEM_CAPACITY: a.lamda is unknown; there are lambda, app, container',
      'TANDEM_CAPACITY: a.app is no resource id of a function app',
      'TANDEM_CAPACITY: b is not an object',
      'TANDEM_CAPACITY: c.lambda needs region, functions and alias',
      'TANDEM_CAPACITY: c.container is no resource id of a container',
    ]);
  });
});
