/** The books over HTTP, against what the providers' sandboxes have moved. Runs once per cloud. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import type { Json } from '@tandem-clouds/replication/json';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { DELETED } from '@tandem-clouds/replication/record';
import { cloudName } from '#cloud';
import { breaches } from '../../infra/rollout/contract-breaches.ts';
import type { Replica } from '../../src/shared/domain/replica.ts';
import { movement } from '../../src/shared/entities/movement.ts';
import { openPayments } from '../../src/shared/open-payments.ts';
import { openServices } from '../../src/shared/open-services.ts';
import type { PaymentGateway } from '../../src/shared/ports/payment-provider.ts';
import { indexes } from '../../src/shared/registry/indexes.ts';
import { ledger } from '../../src/shared/routes/ledger.ts';
import { openReplica, openRuntime, openSiteStore } from '../../src/shared/runtime.ts';
import { serveEntity } from '../../src/shared/serve-entity.ts';
import { serveRoutes } from '../../src/shared/serve-routes.ts';
import { invoke } from '../helpers/api.ts';
import { checksOfEntity } from '../helpers/entity-checks.ts';
import { completeBeats } from '../helpers/owned-entity.ts';
import { checksOf } from '../helpers/sample-routes.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

const DAY_MS = 86_400_000;
const SECRETS = {
  STRIPE_KEY: 'sk_test_local',
  PAYPAL_CLIENT_ID: 'local',
  PAYPAL_CLIENT_SECRET: 'local',
};

let clockMs = Date.parse('2026-06-01T12:00:00Z');
let cloud: TestCloud;
let sandboxes: Emulators<'stripe' | 'paypal'>;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  jest.spyOn(Date, 'now').mockImplementation(() => clockMs);
  closing.push(() => jest.restoreAllMocks());
  const envFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ledger-')), '.env');
  const lines = Object.entries(SECRETS).map(([name, value]) => `SECRET_${name}=${value}\n`);
  fs.writeFileSync(envFile, lines.join(''));
  const [own, vaults, started] = await Promise.all([
    startCloud(cloudName),
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile: envFile, prefix: 'tandem' },
      keyvault: { secretsFile: envFile },
    }),
    startEmulators({ services: ['stripe', 'paypal'], now: () => clockMs }),
  ]);
  [cloud, sandboxes] = [own, started];
  const keyOf = (key: string, scopes: readonly string[]): object => ({
    sha256: createHash('sha256').update(key).digest('hex'),
    scopes,
  });
  closing.push(
    setEnvironment({
      ...vaults.env,
      ...cloud.env,
      TANDEM_LOG_LEVEL: 'error',
      TANDEM_SERVICE_KEYS: JSON.stringify([
        keyOf('books', ['shop/ledger']),
        keyOf('staff', ['tandem/read', 'tandem/write']),
        keyOf('boss', ['tandem/read', 'tandem/write', 'tandem/any-tenant']),
      ]),
    }),
    () => cloud.close(),
    () => vaults.close(),
    () => started.close(),
    () => fs.rmSync(path.dirname(envFile), { recursive: true }),
  );
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

describe.each(['stripe', 'paypal'] as const)('the books of %s', (provider) => {
  let handler: unknown;
  let movements: unknown;
  let gateway: PaymentGateway;
  let fromMs: number;
  let lies = 0;
  let replica: Replica;

  beforeAll(async () => {
    // Each provider's in a store of their own.
    const restore = setEnvironment({
      TANDEM_PAYMENTS: provider,
      TANDEM_PAYMENTS_URL: sandboxes[provider].endpoint,
      ...(await cloud.createStore(`books-${provider}`)),
    });
    const runtime = openRuntime();
    replica = openReplica(runtime);
    gateway = openPayments(runtime)(openServices(runtime));
    const beats = completeBeats(runtime.site, indexes);
    await openSiteStore(runtime).putMany(beats.map((record) => ({ record, expected: undefined })));
    const entities = [{ entity: movement, checks: checksOfEntity(movement) }];
    handler = serveRoutes(ledger, { operations: checksOf(ledger), entities }, openPayments);
    movements = serveEntity(movement, checksOfEntity(movement));
    restore();
    fromMs = clockMs;
  });

  async function as(who: string, method: string, at: string, rest: object = {}): Promise<Answer> {
    const to = at.startsWith('/movements') ? movements : handler;
    const headers = { authorization: `Bearer ${who}`, 'x-tandem-tenant': 'ledger' };
    const response = await invoke(to, { method, path: at, headers, ...rest });
    expect([method, at, breaches(method, at.split('?')[0] ?? at, response)]).toEqual([method, at, []]);
    return { status: response.status, json: JSON.parse(response.text || '{}') as Answer['json'] };
  }

  const iso = (ms: number): string => new Date(ms).toISOString();
  const reconcile = (more: object = {}): Promise<Answer> =>
    as('books', 'POST', '/ledger/reconcile', { body: { from: iso(fromMs), to: iso(clockMs), ...more } });

  /** Nobody changes or deletes what is in the books, so what is false in them is written past all rules. */
  async function falsify(id: string, fields: Readonly<Record<string, Json>>): Promise<void> {
    lies += 1;
    const write = { key: `movement:ledger~${id}`, operationId: `lie-${lies}`, decide: () => fields };
    await replica.run((site) => localWrite(site, write));
  }

  async function charge(key: string, amountMinor = 1_050): Promise<string> {
    const { id } = await gateway.create({
      ...{ key, amountMinor, currency: 'EUR', claim: 'aws-us-east-1' },
    });
    if (provider === 'paypal') sandboxes.paypal.approve(id);
    expect(await gateway.confirm(id, provider === 'stripe' ? 'pm_card_visa' : undefined)).toMatchObject({
      status: 'charged',
    });
    return id;
  }

  /** Until the provider lists what has happened. */
  const settle = (): number => (clockMs += 4 * 3_600_000);

  test('get what has moved, once, whoever writes it and however often', async () => {
    const id = await charge('order-1');
    await gateway.refund({ paymentId: id, amountMinor: 50, currency: 'EUR', key: `part-${id}` });
    settle();
    const both = await Promise.all([reconcile(), reconcile()]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const written = both.map(({ json }) => json['written'] as number);
    expect(written.reduce((sum, one) => sum + one)).toBe(2);
    for (const { json } of both)
      expect(json).toMatchObject({ provider, movements: 2, differences: [], from: iso(fromMs) });
    const { json } = await reconcile();
    expect(json).toMatchObject({ movements: 2, written: 0, differences: [] });
    expect(json['cursor']).toBeUndefined();
  });

  test('balance, by currency and account, and are listed line by line', async () => {
    const { json } = await as('books', 'GET', `/ledger/balance?provider=${provider}`);
    expect(json).toMatchObject({ movements: 2, balances: true, unbalanced: [] });
    const amounts = json['accounts'] as { account: string; amountMinor: number; currency: string }[];
    expect(amounts.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(0);
    expect(amounts).toContainEqual({ currency: 'EUR', account: 'sales', amountMinor: -1_050 });
    expect(amounts).toContainEqual({ currency: 'EUR', account: 'refunds', amountMinor: 50 });
    const { json: listed } = await as('books', 'GET', `/ledger/lines?provider=${provider}`);
    const lines = listed['lines'] as { key: string; atMs: number }[];
    expect(lines.every(({ key }) => key === 'order-1')).toBe(true);
    const until = encodeURIComponent(iso(fromMs));
    const { json: before } = await as('books', 'GET', `/ledger/balance?provider=${provider}&to=${until}`);
    expect(before).toMatchObject({ movements: 0, accounts: [], balances: true });
  });

  test('keep what was written, and a difference is named, not mended', async () => {
    const { json } = await as('boss', 'GET', '/movements?limit=10');
    const [one] = json['items'] as { movementId: string; kind: string; lines: object[] }[];
    const write = (lines: readonly object[]): Promise<void> =>
      falsify(one!.movementId, { lines: lines as unknown as Json });
    await write([...one!.lines.slice(0, -1), { account: 'fees', amountMinor: 1 }]);
    const { json: found } = await reconcile();
    expect(found).toMatchObject({ written: 0 });
    expect(found['differences']).toContainEqual(
      expect.objectContaining({ kind: 'other amount', account: 'fees', amountHere: 1 }),
    );
    const unbalanced = await as('books', 'GET', `/ledger/balance?provider=${provider}`);
    expect(unbalanced.json).toMatchObject({ balances: false });
    await write(one!.lines);
    expect((await reconcile()).json['differences']).toEqual([]);
  });

  test('name what the provider knows nothing of', async () => {
    const { status } = await as('boss', 'POST', '/movements', {
      body: { ...movement.example, movementId: `${provider}~none`, provider, entryId: 'none', atMs: fromMs },
    });
    expect(status).toBe(201);
    expect((await reconcile()).json['differences']).toEqual([{ kind: 'missing there', entryId: 'none' }]);
    await falsify(`${provider}~none`, { [DELETED]: true });
  });

  test('are another matter for who has no part in them', async () => {
    expect(
      (await as('staff', 'POST', '/ledger/reconcile', { body: { from: iso(0), to: iso(1) } })).status,
    ).toBe(403);
    expect((await as('staff', 'GET', `/ledger/balance?provider=${provider}`)).status).toBe(403);
    expect((await as('staff', 'GET', '/movements')).status).toBe(403);
    expect((await as('books', 'GET', '/movements')).status).toBe(403);
  });

  test('are read in parts that end within a run, each going on where the last one ended', async () => {
    clockMs += 3 * DAY_MS;
    await charge('order-2');
    settle();
    const seen: Answer['json'][] = [];
    let cursor: string | undefined;
    do {
      const { status, json } = await reconcile(cursor === undefined ? {} : { cursor });
      expect(status).toBe(200);
      seen.push(json);
      cursor = json['cursor'] as string | undefined;
    } while (cursor !== undefined);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.reduce((sum, { movements: count }) => sum + (count as number), 0)).toBe(3);
    for (const [i, { from }] of seen.entries())
      expect(from).toBe(i === 0 ? iso(fromMs) : seen[i - 1]!['until']);
    expect(seen.flatMap(({ differences }) => differences)).toEqual([]);
  });

  test('have no time before its beginning, and no other cursor', async () => {
    expect((await reconcile({ to: iso(fromMs) })).json['code']).toBe('empty_time');
    expect((await reconcile({ cursor: 'x' })).status).toBe(400);
    expect((await reconcile({ from: 'yesterday' })).status).toBe(400);
  });

  if (provider === 'stripe')
    test('take less time at once where much has moved', async () => {
      clockMs += DAY_MS;
      const beganMs = clockMs;
      for (let i = 0; i < 110; i += 1) {
        clockMs += 60_000;
        const response = await fetch(`${sandboxes.stripe.endpoint}/v1/payment_intents`, {
          method: 'POST',
          headers: { authorization: 'Bearer sk_test_local' },
          body: new URLSearchParams({
            ...{ amount: '500', currency: 'eur', confirm: 'true', payment_method: 'pm_card_visa' },
            ...{ 'metadata[order]': `order-many-${i}`, return_url: 'https://shop.example' },
          }),
        });
        expect(response.status).toBe(200);
      }
      settle();
      let [written, runs, cursor] = [0, 0, undefined as string | undefined];
      do {
        const { status, json } = await reconcile({
          from: iso(beganMs),
          ...(cursor !== undefined && { cursor }),
        });
        expect([status, json['differences']]).toEqual([200, []]);
        written += json['written'] as number;
        runs += 1;
        cursor = json['cursor'] as string | undefined;
      } while (cursor !== undefined);
      expect(written).toBe(110);
      expect(runs).toBeGreaterThan(1);
      const { json } = await as('books', 'GET', '/ledger/balance?provider=stripe');
      expect(json).toMatchObject({ movements: 113, balances: true });
    });
});
