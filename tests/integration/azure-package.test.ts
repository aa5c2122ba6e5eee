/**
 * The Azure package and the offline site, made by the real plugins from the real service definition: the contents of
 * the zip, the template that a deployment would send, and functions that run. One packaging serves all tests.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { Emulator } from '@tandem-clouds/emulators/core/emulator';
import { startCosmos } from '@tandem-clouds/emulators/cosmos/server';
import { type ServiceBusEmulator, startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import type { FunctionDefinition } from '@tandem-clouds/local/azure-host/function-app';
import { readSiteTemplate } from '@tandem-clouds/local/azure-host/template';
import { declaredFunctions } from '@tandem-clouds/local/code/declared-functions';
import type { RunEntry } from '@tandem-clouds/local/run-registry';
import { unzip } from '@tandem-clouds/local/zip';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';
import { cleanEnvironment, sls } from '../helpers/aws-service.ts';
import { startHostProcess } from '../helpers/azure-host-process.ts';
import { copyAzureService, runSls, writeFunctions } from '../helpers/azure-service.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const PACKAGING_MS = 280_000;
const { functions: entityFunctions } = createRequire(import.meta.url)('../../infra/azure/entities.cjs') as {
  functions: Readonly<Record<string, { readonly events: readonly { readonly route: string }[] }>>;
};

let dir: string;

beforeAll(() => {
  dir = copyAzureService();
});

afterAll(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

const listing = (): string[] =>
  fs
    .readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => !/^(\.artifacts|\.esbuild|node_modules|scripts)/.test(file))
    .sort();

/** What an app registers when it is loaded as the worker does, by Node's own loader. */
function registeredBy(appDir: string): readonly FunctionDefinition[] {
  const loader = path.join(import.meta.dirname, '../../packages/local/src/azure-host/app-loader.ts');
  const code = `import { AppLoader } from ${JSON.stringify(loader)};
    console.log(JSON.stringify(new AppLoader(process.argv[1], console.error).load().result.functions));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code, appDir]);
  return JSON.parse(String(output)) as readonly FunctionDefinition[];
}

describe('the package', () => {
  let files: Map<string, Buffer>;
  let registered: readonly FunctionDefinition[];
  let before: string[];

  beforeAll(async () => {
    // What upstream would delete: a script of the project, a package of the other cloud, a folder like a function.
    for (const file of ['bin/tool', '.serverless/aws.zip', 'users/notes.txt']) {
      fs.mkdirSync(path.join(dir, path.dirname(file)), { recursive: true });
      fs.writeFileSync(path.join(dir, file), 'keep');
    }
    before = listing();
    await runSls(dir, ['package'], cleanEnvironment());
    files = unzip(path.join(dir, '.artifacts/azure/tandem.zip'));
    registered = registeredBy(path.join(dir, '.artifacts/azure/app'));
  }, PACKAGING_MS);

  const bindingsOf = (name: string) => registered.find((definition) => definition.name === name)?.bindings;

  test('holds one bundle, whose entry point package.json names, and no function.json', () => {
    expect([...files.keys()].sort()).toEqual([
      'app.cjs',
      'app.cjs.map',
      'host.json',
      'main.cjs',
      'package.json',
    ]);
    expect(JSON.parse(String(files.get('package.json')))).toEqual({
      name: 'tandem',
      private: true,
      main: 'main.cjs',
    });
  });

  test.each([
    ['region', 'region'],
    ['health', 'health/{*path}'],
    ['replication', 'replication'],
    ['operations', 'replication/{*path}'],
    ['items', 'items/{*path}'],
    ['write', 'write'],
    ['fallback', '{*path}'],
    ...Object.entries(entityFunctions).map(([name, { events }]) => [name, events[0]!.route]),
  ])('%s answers every method of its route with what the handler returns', (name, route) => {
    expect(bindingsOf(name)).toEqual([
      expect.objectContaining({
        type: 'httpTrigger',
        direction: 'in',
        name: 'req',
        authLevel: 'anonymous',
        route,
      }),
      expect.objectContaining({ type: 'http', direction: 'out', name: '$return' }),
    ]);
    expect(bindingsOf(name)?.[0]).not.toHaveProperty('methods');
  });

  test.each([
    ['forward', 'tandem-out', 'many'],
    ['apply', 'tandem-in', 'many'],
    ['react', 'tandem-react', 'many'],
    ['transfer', 'tandem-objects', 'many'],
    // The host renews the lock of a single message, not those of a batch.
    ['verify', 'tandem-verify', 'one'],
  ])('%s gets bytes from its queue', (name, queueName, cardinality) => {
    expect(bindingsOf(name)).toEqual([
      expect.objectContaining({
        type: 'serviceBusTrigger',
        direction: 'in',
        name: 'messages',
        queueName,
        connection: 'ServiceBus',
        cardinality,
        dataType: 'binary',
      }),
    ]);
  });

  test.each([
    ['sweep', '*/30 * * * * *'],
    ['verifyHourly', '0 7 * * * *'],
  ])('%s runs on the schedule %s', (name, schedule) => {
    expect(bindingsOf(name)).toEqual([
      expect.objectContaining({ type: 'timerTrigger', direction: 'in', name: 'timer', schedule }),
    ]);
  });

  test('registers what the definition declares, and no more', () => {
    const { functions } = parse(fs.readFileSync(path.join(dir, 'serverless.azure.yml'), 'utf8'), {
      merge: true,
    }) as { functions: unknown };
    const declared = Object.keys(declaredFunctions(functions, dir)).sort();
    expect(declared).toContain('forward');
    expect(registered.map(({ name }) => name).sort()).toEqual(declared);
  });

  test('every queue of a trigger is one of the template', () => {
    const queues = readSiteTemplate(path.join(dir, 'infra/azure/site.json')).queues.map(({ name }) => name);
    expect(queues).toEqual(
      expect.arrayContaining([
        'tandem-out',
        'tandem-in',
        'tandem-verify',
        'tandem-react',
        'tandem-objects',
        'tandem-dead',
      ]),
    );
  });

  test('host.json serves at the root and completes batches of a hundred', () => {
    expect(JSON.parse(String(files.get('host.json')))).toMatchObject({
      version: '2.0',
      extensions: {
        http: { routePrefix: '' },
        serviceBus: { maxMessageBatchSize: 100, autoCompleteMessages: true },
      },
    });
  });

  test('the bundle is for this cloud only', () => {
    expect(String(files.get('app.cjs'))).toContain('bundled for azure');
    expect(String(files.get('app.cjs'))).not.toContain('bundled for aws');
  });

  test('stack traces can be read: the bundle names its source map, which holds no sources', () => {
    expect(String(files.get('app.cjs'))).toContain('//# sourceMappingURL=app.cjs.map');
    const map = JSON.parse(String(files.get('app.cjs.map'))) as Record<string, unknown>;
    expect(map['sources']).toEqual(expect.arrayContaining([expect.stringContaining('users.ts')]));
    expect(map['sourcesContent']).toBeUndefined();
  });

  test('the unpacked app is what is in the zip', () => {
    const app = path.join(dir, '.artifacts/azure/app');
    const unpacked = fs
      .readdirSync(app, { recursive: true, encoding: 'utf8' })
      .filter((file) => fs.statSync(path.join(app, file)).isFile());
    expect(unpacked.sort()).toEqual([...files.keys()].sort());
    for (const file of unpacked) expect(fs.readFileSync(path.join(app, file))).toEqual(files.get(file));
  });

  test('the template of a deployment is beside the package', () => {
    const kept = JSON.parse(
      fs.readFileSync(path.join(dir, '.artifacts/azure/template.json'), 'utf8'),
    ) as object;
    expect(kept).toEqual(composeTemplate(path.join(dir, 'infra/azure/site.json')));
  });

  test('nothing is written to the source tree and nothing deleted from it', () => {
    expect(listing()).toEqual(before);
  });

  test('the host serves it', async () => {
    const appDir = path.join(dir, '.artifacts/azure/app');
    const host = await startHostProcess({ appDir, include: 'http', settings: { TANDEM_SITE: 'azure-test' } });
    try {
      const query = async (method: string, at: string) =>
        (await (await fetch(host.url + at, { method })).json()) as object;
      expect(await query('PATCH', '/users/42')).toEqual({
        name: 'users',
        version: 1,
        cloud: 'bundled for azure',
        method: 'PATCH',
        params: { path: '42' },
        site: 'azure-test',
      });
      expect(await query('POST', '/user')).toMatchObject({ name: 'users' });
      expect(await query('POST', '/write')).toMatchObject({ name: 'items' });
      expect(await query('GET', '/health/deep')).toMatchObject({ name: 'health', params: { path: 'deep' } });
      expect(await query('DELETE', '/')).toMatchObject({ name: 'fallback' });
    } finally {
      await host.close();
    }
  });
});

describe('a deployment', () => {
  interface Setting {
    readonly name: string;
    readonly value: string;
  }
  interface Resource {
    readonly type: string;
    readonly properties?: { readonly siteConfig?: { readonly appSettings: readonly Setting[] } };
  }
  interface Deployment {
    readonly parameters: Record<string, { value: unknown }>;
    readonly template: { readonly resources: readonly Resource[] };
  }
  let deployment: Deployment;
  let settings: Record<string, string>;

  beforeAll(async () => {
    const args = ['info', '--dryrun', '--arm', '--region', 'westeurope'];
    const params = ['app=acme', 'peers=[{"site":"aws-us-east-1"}]', 'features.cdn=true'];
    const output = await runSls(
      dir,
      [...args, ...params.flatMap((param) => ['--param', param])],
      cleanEnvironment(),
    );
    deployment = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as Deployment;
    const site = deployment.template.resources.find(({ type }) => type === 'Microsoft.Web/sites');
    const list = site?.properties?.siteConfig?.appSettings ?? [];
    settings = Object.fromEntries(list.map(({ name, value }) => [name, value]));
    expect(Object.keys(settings)).toHaveLength(list.length);
  }, PACKAGING_MS);

  test('sends our template with the parameters of the command line', () => {
    expect(deployment.parameters).toMatchObject({
      functionAppName: { value: 'acme' },
      location: { value: 'westeurope' },
      tags: { value: { site: 'azure-westeurope' } },
      peers: { value: [{ site: 'aws-us-east-1' }] },
    });
  });

  test('switches on the features that were asked for, and no other', () => {
    const flags = Object.entries(deployment.parameters).filter(([, { value }]) => typeof value === 'boolean');
    expect(flags.length).toBeGreaterThan(1);
    // What has content is declared, and switches objects on.
    for (const [name, { value }] of flags)
      expect([name, value]).toEqual([name, ['cdn', 'objects'].includes(name)]);
  });

  test('knows every flag of the template', () => {
    const { parameters } = composeTemplate(path.join(dir, 'infra/azure/site.json'));
    const flags = Object.entries(parameters).flatMap(([name, { type }]) => (type === 'bool' ? [name] : []));
    expect(Object.keys(deployment.parameters)).toEqual(expect.arrayContaining(flags));
  });

  test('quotes a JSON array, which Resource Manager would evaluate, and no expression', () => {
    expect(settings['TANDEM_PEERS']).toBe('[[{"site":"aws-us-east-1"}]');
    expect(settings['COSMOS_ENDPOINT']).toBe("[variables('cosmosEndpoint')]");
    expect(settings['TANDEM_SITE']).toBe('azure-westeurope');
  });

  test('holds no key, password or connection string', () => {
    const text = JSON.stringify(deployment);
    expect(text).not.toMatch(/listKeys|AccountKey|SharedAccessKey|"COSMOS_KEY"|"SERVICE_BUS_CONNECTION"/i);
  });

  test('names variables, parameters and roles that the template has', () => {
    const template = composeTemplate(path.join(dir, 'infra/azure/site.json'));
    const text = JSON.stringify(deployment.template);
    for (const kind of ['variables', 'parameters'] as const) {
      const used = new Set(
        [...text.matchAll(new RegExp(`${kind}\\('(\\w+)'\\)`, 'g'))].map(([, name]) => name),
      );
      expect(Object.keys(template[kind])).toEqual(expect.arrayContaining([...used]));
    }
    const roles = [...text.matchAll(/variables\('roles'\)\.(\w+)/g)].map(([, name]) => name);
    expect(Object.keys(template.variables['roles'] as object).sort()).toEqual([...new Set(roles)].sort());
  });

  describe('uploads its package', () => {
    const { publishPackage } = createRequire(import.meta.url)('../../infra/serverless/azure/publish.cjs') as {
      readonly publishPackage: (options: object) => Promise<void>;
    };
    let server: http.Server;
    let responses: { status: number; body: unknown }[];
    let requested: string[];

    beforeEach(async () => {
      requested = [];
      server = http.createServer((request, response) => {
        requested.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`);
        const { status, body } = responses.shift() ?? { status: 500, body: 'asked too often' };
        request.resume().once('end', () => response.writeHead(status).end(JSON.stringify(body)));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });

    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    const publish = () =>
      publishPackage({
        scmUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        zip: Buffer.from('zip'),
        bearer: 'token',
        log: () => undefined,
        pollMs: 1,
        waitMsMax: 500,
      });

    test('and waits until the app runs it', async () => {
      responses = [
        { status: 202, body: 'd-1' },
        { status: 404, body: '' },
        { status: 200, body: { status: 2 } },
        { status: 200, body: { status: 4 } },
      ];
      await publish();
      expect(requested[0]).toBe('POST /api/publish?RemoteBuild=false&Deployer=serverless Bearer token');
      expect(requested.slice(1)).toEqual(Array(3).fill('GET /api/deployments/d-1 Bearer token'));
    });

    test.each([
      ['the upload is refused', [{ status: 500, body: 'no room' }], /HTTP 500.*no room/],
      [
        'the deployment fails',
        [
          { status: 202, body: 'd-1' },
          { status: 200, body: { status: 3, status_text: 'bad zip' } },
        ],
        /d-1 failed \(3\): bad zip/,
      ],
      [
        'the token is not accepted',
        [
          { status: 202, body: 'd-1' },
          { status: 401, body: '' },
        ],
        /HTTP 401/,
      ],
      ['it never ends', [{ status: 202, body: 'd-1' }], /did not end within 0.5 s/],
    ])('and fails when %s', async (_title, given, message) => {
      responses = given;
      await expect(publish()).rejects.toThrow(message);
    });
  });
});

describe('the offline site', () => {
  let bus: ServiceBusEmulator;
  let cosmos: Emulator;
  let child: ChildProcess;
  let output: string[];
  let url: string;
  const runDir = () => path.join(dir, 'run');
  const notesFile = () => path.join(dir, 'notes.jsonl');

  const announced = (name: string) =>
    waitUntil(
      `${name} to be announced`,
      () => {
        if (child.exitCode !== null) throw new Error(`sls offline ended\n${output.join('')}`);
        const file = path.join(runDir(), `${name}.json`);
        return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as RunEntry) : undefined;
      },
      60_000,
    );
  const note = (what: string, matches: (entry: Record<string, unknown>) => boolean) =>
    waitUntil(
      what,
      () => {
        if (!fs.existsSync(notesFile())) return undefined;
        const lines = fs.readFileSync(notesFile(), 'utf8').split('\n').filter(Boolean);
        return lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(matches);
      },
      30_000,
    );
  const send = async (text: string) => {
    const client = new ServiceBusClient(bus.endpoint);
    await client.createSender('tandem-in').sendMessages({ body: Buffer.from(text) });
    await client.close();
  };

  beforeAll(async () => {
    fs.mkdirSync(runDir());
    // What is waited for is that it runs by the definition's schedule, not half a minute.
    const definition = path.join(dir, 'serverless.azure.yml');
    fs.writeFileSync(
      definition,
      fs.readFileSync(definition, 'utf8').replace("schedule: '*/30 * * * * *'", "schedule: '*/2 * * * * *'"),
    );
    [bus, cosmos] = await Promise.all([startServiceBus(), startCosmos()]);
    ({ child, output } = sls(
      dir,
      ['offline', '-c', 'serverless.azure.yml'],
      cleanEnvironment({
        TANDEM_SITE: 'azure-test',
        TANDEM_HTTP_PORT: '0',
        TANDEM_RUN_DIR: runDir(),
        COSMOS_ENDPOINT: cosmos.endpoint,
        COSMOS_KEY: 'bG9jYWw=',
        SERVICE_BUS_CONNECTION: bus.endpoint,
        SERVICE_BUS_CONTROL_URL: bus.controlUrl,
        NOTES: notesFile(),
      }),
    ));
    url = (await announced('azure-test')).urls['http'] ?? '';
    await announced('azure-test.bridge');
  }, PACKAGING_MS);

  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    await Promise.all([bus.close(), cosmos.close()]);
  });

  test('serves with the settings of the environment', async () => {
    const response = (await (await fetch(`${url}/users/1`)).json()) as object;
    expect(response).toMatchObject({ name: 'users', cloud: 'bundled for azure', site: 'azure-test' });
  });

  test('has made the container and the queues that the template describes', async () => {
    const client = new CosmosClient({ endpoint: cosmos.endpoint, key: 'bG9jYWw=' });
    const { resource } = await client.database('tandem').container('records').read();
    expect(resource).toMatchObject({ partitionKey: { paths: ['/id'] }, defaultTtl: -1 });
    client.dispose();
    const queues = (await (await fetch(`${bus.controlUrl}/_tandem/queues`)).json()) as object;
    expect(queues).toMatchObject({
      'tandem-out': { settings: { lockDurationMs: 60_000, maxDeliveryCount: 10, deadLetterOnExpiry: true } },
      'tandem-in': { settings: { maxDeliveryCount: 20, defaultTtlMs: 14 * 86_400_000 } },
      'tandem-verify': { settings: { lockDurationMs: 300_000, maxDeliveryCount: 10 } },
      'tandem-react': { settings: { lockDurationMs: 60_000, defaultTtlMs: 3_600_000 } },
      // For two of the longest batches.
      'tandem-objects': { settings: { lockDurationMs: 300_000, defaultTtlMs: 3_600_000 } },
      'tandem-dead': { settings: { lockDurationMs: 300_000 } },
    });
  });

  test('runs queue functions in a process of their own', async () => {
    await send('hello');
    const { input, pid } = await note('the message', ({ name }) => name === 'apply');
    expect(input).toEqual(['hello']);
    expect(pid).not.toBe(child.pid);
    expect(pid).toBe((await announced('azure-test.bridge')).pid);
  });

  test('runs the timer', async () => {
    const { input } = await note('the timer', ({ name }) => name === 'sweep');
    expect(input).toMatchObject({ isPastDue: false });
  });

  test('goes on serving while its bridge is killed and comes back', async () => {
    const { pid } = await announced('azure-test.bridge');
    fs.rmSync(path.join(runDir(), 'azure-test.bridge.json'));
    process.kill(pid, 'SIGKILL');
    expect((await fetch(`${url}/region`)).status).toBe(200);
    expect((await announced('azure-test.bridge')).pid).not.toBe(pid);
    await send('after');
    await note('the message', ({ input }) => Array.isArray(input) && input.includes('after'));
    expect(output.join('')).toContain('[azure bridge] ended (SIGKILL), restarting');
  });

  test('runs changed sources in both processes', async () => {
    writeFunctions(dir, 2);
    await waitUntil(
      'the new version',
      async () => {
        const { version } = (await (await fetch(`${url}/users/1`)).json()) as { version: number };
        return version === 2 ? true : undefined;
      },
      30_000,
    );
    await waitUntil(
      'the new version of the bridge',
      async () => {
        await send('again');
        const lines = fs.readFileSync(notesFile(), 'utf8');
        return lines.includes('"version":2') ? true : undefined;
      },
      30_000,
    );
  });

  test('leaves no process behind when it is told to stop', async () => {
    const { pid } = await announced('azure-test.bridge');
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(listing().filter((file) => !/^(run|notes)/.test(file))).not.toContain('local.settings.json');
  });
});
