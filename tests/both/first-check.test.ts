/** What a site finds when it makes one call of each kind. Runs once per cloud, with the other as its peer. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cloudName } from '#cloud';
import { checkSite } from '../../scripts/first-check/check-site.ts';
import type { Finding } from '../../src/shared/ports/probe.ts';
import { callAsOperator, invoke, OPERATOR_ENV, OPERATOR_KEY } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { type ProxiedRequest, type Refusal, type RightsProxy, startProxy } from '../helpers/rights/proxy.ts';
import { setEnvironment } from '../helpers/sites.ts';

let clouds: LinkedClouds;
let handlers: Record<'operations' | 'forward' | 'apply' | 'verify' | 'react' | 'transfer' | 'sweep', unknown>;
let restore: () => void;
const proxies: RightsProxy[] = [];
/** Those that functions take from. */
const QUEUES = ['tandem-out', 'tandem-in', 'tandem-verify', 'tandem-react', 'tandem-objects'] as const;
/** What the proxies answer in a service's place. */
let refuse: (request: ProxiedRequest) => Refusal | undefined = () => undefined;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  const through = async (name: string): Promise<Record<string, string>> => {
    const proxy = await startProxy(clouds.env[name] ?? '', (request) => refuse(request));
    proxies.push(proxy);
    return { [name]: `${proxy.endpoint}/` };
  };
  const own = await through(cloudName === 'aws' ? 'AWS_ENDPOINT_URL_DYNAMODB' : 'COSMOS_ENDPOINT');
  restore = setEnvironment({
    ...own,
    ...OPERATOR_ENV,
  });
  const load = async (module: Promise<{ handler: unknown }>): Promise<unknown> => (await module).handler;
  handlers = {
    operations: await load(import('../../src/handlers/operations.ts')),
    forward: await load(import('../../src/bridge/forward.ts')),
    apply: await load(import('../../src/bridge/apply.ts')),
    verify: await load(import('../../src/bridge/verify.ts')),
    react: await load(import('../../src/bridge/react.ts')),
    transfer: await load(import('../../src/bridge/transfer.ts')),
    sweep: await load(import('../../src/bridge/sweep.ts')),
  };
});

afterEach(() => {
  refuse = () => undefined;
  for (const { storeFaults, queueFaults } of [clouds.own, clouds.peer]) {
    storeFaults.clear();
    queueFaults.clear();
  }
});

afterAll(async () => {
  restore();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await clouds.close();
});

async function check(): Promise<readonly Finding[]> {
  const { status, json } = await callAsOperator(handlers.operations, 'POST', 'first-check');
  expect(status).toBe(200);
  return json['findings'] as Finding[];
}

const titled = ({ probe, subject }: Finding): string => `${probe} ${subject}`.trim();
const refusedIn = (findings: readonly Finding[]): string[] =>
  findings.filter(({ result }) => result === 'refused').map(titled);

describe(`a first check on ${cloudName}`, () => {
  test('is refused without an operator key', async () => {
    const { status } = await invoke(handlers.operations, {
      method: 'POST',
      path: '/replication/first-check',
    });
    expect(status).toBe(401);
  });

  test('of a site that may do all that it does refuses nothing but the timer that has not run', async () => {
    expect(refusedIn(await check())).toEqual(['host.timer']);
    await deliver(cloudName, handlers.sweep, 'timer');
    const findings = await check();
    expect(refusedIn(findings)).toEqual([]);
    // Neither has TLS on this machine, nor a sign-in between clouds.
    const skipped = findings.filter(({ result }) => result === 'skipped').map(({ probe }) => probe);
    expect(new Set(skipped)).toEqual(
      new Set([
        'tls',
        'federation.token',
        'federation.exchange',
        'peer.objects',
        ...(cloudName === 'azure' ? ['queue.count'] : []),
      ]),
    );
  });

  test('leaves messages that their receivers drop', async () => {
    await check();
    for (const [queue, handler] of [
      ['tandem-out', handlers.forward],
      ['tandem-in', handlers.apply],
      ['tandem-verify', handlers.verify],
      ['tandem-react', handlers.react],
      ['tandem-objects', handlers.transfer],
    ] as const) {
      const taken = await clouds.own.take(queue);
      expect(
        taken.filter(({ attributes }) => attributes['probe'] === clouds.own.site).length,
      ).toBeGreaterThan(0);
      expect(await deliver(cloudName, handler, taken)).toEqual([]);
    }
    expect(await clouds.own.take('tandem-dead')).toEqual([]);
    expect((await clouds.peer.take('tandem-in'))[0]?.attributes).toEqual({ probe: clouds.own.site });
  });

  test.each([
    ['tandem-out', 'own', ['queue.send tandem-out']],
    ['tandem-in', 'own', ['queue.send tandem-in']],
    ['tandem-verify', 'own', ['queue.send tandem-verify']],
    ['tandem-react', 'own', ['queue.send tandem-react']],
    ['tandem-objects', 'own', ['queue.send tandem-objects']],
    ['tandem-in', 'peer', ['peer.send * tandem-in']],
    ['tandem-verify', 'peer', ['peer.send * tandem-verify']],
  ] as const)('names a queue that may not be sent to: %s of the %s site', async (queue, whose, expected) => {
    const { queueFaults, cloud } = clouds[whose];
    queueFaults.set([
      {
        kind: 'error',
        resource: queue,
        operation: cloud === 'aws' ? 'SendMessageBatch' : 'send',
        ...(cloud === 'azure' && { code: 'amqp:unauthorized-access' }),
      },
    ]);
    expect(refusedIn(await check())).toEqual(expected.map((text) => text.replace('*', clouds.peer.site)));
  });
});

describe(`npm run tandem -- first-check on ${cloudName}`, () => {
  /** The functions of the site behind an address. */
  async function serveSite(): Promise<{ url: string; close: () => void }> {
    const region = await import('../../src/handlers/region.ts');
    const health = await import('../../src/handlers/health.ts');
    const replication = await import('../../src/handlers/replication.ts');
    const handlerOf = (path: string): unknown => {
      if (path === '/region') return region.handler;
      if (path.startsWith('/health')) return health.handler;
      return path === '/replication' ? replication.handler : handlers.operations;
    };
    const server = http.createServer((request, response) => {
      const { method = 'GET', url: path = '/', headers } = request;
      const { authorization = '' } = headers;
      void invoke(handlerOf(path), { method, path, headers: { authorization } }).then(({ status, text }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
  }

  test('reads every finding, and names triggers that take nothing', async () => {
    const site = await serveSite();
    try {
      const target = { url: site.url, operatorKey: OPERATOR_KEY };
      const { cloud, readings } = await checkSite(target, { emptiedWithinMs: 0, pollMs: 1 });
      expect(cloud).toBe(cloudName);
      const open = readings.filter(({ result }) => result === 'refused');
      // No host polls here: what the check has sent lies in the queues.
      expect(open.map(({ probe }) => probe)).toEqual(['triggers']);
      expect(open[0]).toMatchObject({ mend: expect.stringContaining('get-account-settings') });
      for (const { calls, needs } of readings) expect([calls, needs]).not.toContain('');
    } finally {
      site.close();
    }
  });

  test('is done once the triggers have taken what was sent', async () => {
    for (const queue of QUEUES) {
      while ((await clouds.own.take(queue)).length > 0);
    }
    const site = await serveSite();
    const over = new AbortController();
    const pump = (async () => {
      while (!over.signal.aborted)
        for (const queue of ['tandem-out', 'tandem-in'] as const) await clouds.own.take(queue);
    })();
    try {
      const { readings } = await checkSite({ url: site.url, operatorKey: OPERATOR_KEY }, { pollMs: 10 });
      expect(readings.find(({ probe }) => probe === 'triggers')).toMatchObject({ result: 'ok' });
    } finally {
      over.abort();
      await pump;
      site.close();
    }
  });

  test('says that nobody can be asked without a key', async () => {
    const site = await serveSite();
    try {
      await expect(checkSite({ url: site.url })).rejects.toThrow('TANDEM_OPERATOR_KEY');
    } finally {
      site.close();
    }
  });
});

/** Each refusal with the finding that must name it, and the error as the service words it. */
const OF_AWS = [
  ['dynamodb:GetItem', 'GetItem', ['store.read', 'host.timer']],
  ['dynamodb:BatchGetItem', 'BatchGetItem', ['store.read-many']],
  ['dynamodb:PutItem', 'PutItem', ['store.write']],
  ['dynamodb:UpdateItem', 'UpdateItem', ['store.patch']],
  ['dynamodb:Query', 'Query', ['store.list', 'store.pending', 'store.due']],
] as const;

const ofIndex = ({ body }: ProxiedRequest, index: string): boolean =>
  (JSON.parse(body.toString() || '{}') as { IndexName?: string }).IndexName === index;

(cloudName === 'aws' ? describe : describe.skip)('rights of DynamoDB', () => {
  test.each(OF_AWS)('without %s', async (action, operation, expected) => {
    refuse = ({ headers }) =>
      String(headers['x-amz-target']).endsWith(`.${operation}`)
        ? {
            status: 400,
            headers: { 'content-type': 'application/x-amz-json-1.0' },
            body: {
              __type: 'com.amazon.coral.service#AccessDeniedException',
              message: `OperationsRole is not authorized to perform: ${action}`,
            },
          }
        : undefined;
    const findings = await check();
    expect(refusedIn(findings)).toEqual(expected);
    expect(findings.find(({ result }) => result === 'refused')?.seen).toContain(
      `not authorized to perform: ${action}`,
    );
  });

  test('without the index of reactions', async () => {
    refuse = (request) =>
      ofIndex(request, 'due')
        ? {
            status: 400,
            headers: { 'content-type': 'application/x-amz-json-1.0' },
            body: {
              __type: 'com.amazon.coral.validate#ValidationException',
              message: 'The table does not have the specified index: due',
            },
          }
        : undefined;
    const findings = await check();
    expect(refusedIn(findings)).toEqual(['store.due']);
    expect(findings.find(({ probe }) => probe === 'store.due')?.seen).toContain('the specified index: due');
  });
});

const forbidden = (action: string): Refusal => ({
  status: 403,
  headers: { 'x-ms-substatus': '5301' },
  body: {
    code: 'Forbidden',
    message: `principal app does not have required RBAC permissions to perform action [${action}]`,
  },
});
const flag = ({ headers }: ProxiedRequest, name: string): boolean =>
  String(headers[name]).toLowerCase() === 'true';
const batchOf = (request: ProxiedRequest): string[] =>
  flag(request, 'x-ms-cosmos-is-batch-request')
    ? (JSON.parse(request.body.toString()) as { operationType: string }[]).map(
        ({ operationType }) => operationType,
      )
    : [];
const inScratch = ({ body }: ProxiedRequest, text: string): boolean => body.toString().includes(text);

const OF_AZURE: readonly [string, (request: ProxiedRequest) => Refusal | undefined, readonly string[]][] = [
  [
    'Patch',
    (request) => (batchOf(request).includes('Patch') ? forbidden('items/replace') : undefined),
    ['store.patch'],
  ],
  [
    'Replace',
    (request) => (batchOf(request).includes('Replace') ? forbidden('items/replace') : undefined),
    ['store.replace'],
  ],
  [
    'query plans',
    (request) => (flag(request, 'x-ms-cosmos-is-query-plan-request') ? forbidden('executeQuery') : undefined),
    ['store.list', 'store.pending', 'store.due'],
  ],
  [
    'queries',
    (request) =>
      flag(request, 'x-ms-documentdb-isquery') && !flag(request, 'x-ms-cosmos-is-query-plan-request')
        ? forbidden('executeQuery')
        : undefined,
    ['store.list', 'store.pending', 'store.due', 'store.scan'],
  ],
  [
    'the index of reactions',
    (request) =>
      flag(request, 'x-ms-documentdb-isquery') && inScratch(request, 'c.d_at')
        ? {
            status: 400,
            headers: {},
            body: {
              code: 'BadRequest',
              message:
                'The order by query does not have a corresponding composite index that it can be served from.',
            },
          }
        : undefined,
    ['store.due'],
  ],
  ['Delete', ({ method }) => (method === 'DELETE' ? forbidden('items/delete') : undefined), ['store.remove']],
  [
    'NUL, refused',
    (request) =>
      inScratch(request, '\\u0000')
        ? { status: 400, headers: {}, body: { code: 'BadRequest', message: 'NUL' } }
        : undefined,
    ['store.nul'],
  ],
  [
    'half a surrogate pair, altered',
    (request) =>
      request.method === 'GET' && decodeURIComponent(request.path).endsWith('-surrogate')
        ? {
            status: 200,
            headers: {},
            body: {
              id: decodeURIComponent(request.path).split('/').at(-1),
              _etag: '"1"',
              s: { fields: { text: ['0', 'a\ufffdb'] }, vector: {} },
            },
          }
        : undefined,
    ['store.surrogate'],
  ],
];

(cloudName === 'azure' ? test : test.skip)('names the queues whose counts may not be read', async () => {
  await deliver(cloudName, handlers.sweep, 'timer');
  clouds.own.queueFaults.set([
    { kind: 'error', operation: 'getQueue', resource: 'tandem-dead', code: 'amqp:unauthorized-access' },
  ]);
  const findings = await check();
  expect(refusedIn(findings)).toEqual(['queue.depth all']);
  expect(findings.find(({ probe }) => probe === 'queue.depth')?.seen).toMatch(
    /Resource Manager, queue tandem-dead: 403: .*AuthorizationFailed/,
  );
});

(cloudName === 'azure' ? describe : describe.skip)('rights and texts of Cosmos DB', () => {
  test.each(OF_AZURE)('without %s', async (_name, planted, expected) => {
    refuse = planted;
    expect(refusedIn(await check())).toEqual(expected);
  });

  test('leaves no scratch record', async () => {
    const before = await check();
    const list = before.find(({ probe }) => probe === 'store.list');
    // Those of the check that could not delete are there; another check adds none.
    const again = (await check()).find(({ probe }) => probe === 'store.list');
    expect(again?.seen).toBe(list?.seen);
  });
});
