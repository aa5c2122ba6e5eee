/** Records that are as old as the key of their creation: what is asked of the key, and what its age is for. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { creationHeaders } from '@tandem-clouds/local/creation-headers';
import { clockAheadMaxMs } from '@tandem-clouds/replication/bounds';
import { clientFiles } from '../../../scripts/generate/client.ts';
import { openApiDocument } from '../../../scripts/generate/openapi.ts';
import type { WritableRecords } from '../../../src/shared/domain/routes/route-records.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { InvalidError } from '../../../src/shared/errors.ts';
import type { HttpRequest } from '../../../src/shared/http/route.ts';
import { recordsOfRequest } from '../../../src/shared/http/route-records.ts';
import { type OwnedApi, ownedApi } from '../../helpers/owned-entity.ts';
import { START_MS } from '../../helpers/test-site.ts';
import { keyOf, ticket } from '../../helpers/ticket.ts';

const WITHIN_MS = 20 * 3_600_000;
const BODY = { show: 'Hamlet', cents: 2_500 };

const siteNamed = (name: string): OwnedApi =>
  ownedApi(ticket, [], undefined, { trustsEverybody: true, name });

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Record<string, unknown>;
}

async function create({ call }: OwnedApi, key: string | undefined, body: object = BODY): Promise<Reply> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const {
    status,
    text,
    headers: answered,
  } = await call(undefined, {
    method: 'POST',
    path: '/tickets',
    body,
    headers,
  });
  return { status, headers: answered, json: JSON.parse(text) as Record<string, unknown> };
}

const refusedBy = (rule: string) => ({
  status: 400,
  json: { code: 'invalid', errors: [{ pointer: '/headers/idempotency-key', rule }] },
});

describe('a record whose id derives from a key', () => {
  test('is as old as the key and has one id, whichever site is asked', async () => {
    const key = keyOf(START_MS - 3_600_000);
    const [aws, azure] = [
      await create(siteNamed('aws-us-east-1'), key),
      await create(siteNamed('azure-b'), key),
    ];
    expect([aws.status, azure.status]).toEqual([201, 201]);
    expect(aws.json['createdAt']).toBe(new Date(START_MS - 3_600_000).toISOString());
    expect([azure.json['id'], azure.json['createdAt']]).toEqual([aws.json['id'], aws.json['createdAt']]);
  });

  test.each<[string, string | undefined, string]>([
    ['no key', undefined, 'required'],
    ['a key without a time', 'order-1', 'uuid'],
    ['a UUID of another version', '919108f7-52d1-4320-9bac-f847db4148a8', 'uuid'],
    ['a key as old as the bound', keyOf(START_MS - WITHIN_MS), 'age'],
    ['a key of the future', keyOf(START_MS + clockAheadMaxMs + 1), 'future'],
  ])('is not created with %s, and nothing is written', async (_, key, rule) => {
    const api = siteNamed('aws-us-east-1');
    expect(await create(api, key)).toMatchObject(refusedBy(rule));
    expect([...api.site.store.items.keys()].filter((each) => each.startsWith('ticket:'))).toEqual([]);
  });

  test.each([
    ['almost too old', START_MS - WITHIN_MS + 1],
    ['a little ahead', START_MS + clockAheadMaxMs],
  ])('is created with a key that is %s', async (_, madeAtMs) => {
    expect((await create(siteNamed('aws-us-east-1'), keyOf(madeAtMs))).status).toBe(201);
    expect((await create(siteNamed('aws-us-east-1'), `"${keyOf(madeAtMs)}"`)).status).toBe(201);
  });

  test('answers a repeat of its key however old that is, and a site that does not have it refuses the key', async () => {
    const key = keyOf(START_MS);
    const [aws, azure] = [siteNamed('aws-us-east-1'), siteNamed('azure-b')];
    const { json } = await create(aws, key);
    for (const { site } of [aws, azure]) site.nowMs = START_MS + 30 * WITHIN_MS;
    const repeated = await create(aws, key);
    expect([repeated.status, repeated.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(repeated.json).toEqual(json);
    expect(await create(azure, key)).toMatchObject(refusedBy('age'));
  });

  test('has an id that nobody chooses', async () => {
    const chosen = await create(siteNamed('aws-us-east-1'), keyOf(START_MS), { ...BODY, ticketId: 't1' });
    expect(chosen).toMatchObject({ status: 400, json: { errors: [{ pointer: '/ticketId', rule: 'ids' }] } });
  });

  test('is made by custom routes with the key of their request, and where they take none that is their defect', async () => {
    const api = siteNamed('aws-us-east-1');
    const tickets = (key: string | undefined): WritableRecords => {
      const headers = key === undefined ? {} : { 'idempotency-key': key };
      const request = { headers, params: {}, query: {}, body: undefined } as unknown as HttpRequest;
      const options = { operation: 'op', actsForAnybody: false, namesStates: true, body: {} };
      const keyed = key !== '';
      return recordsOfRequest([api.used], request, { ...options, keyed }).records[
        'ticket'
      ] as WritableRecords;
    };
    const made = await tickets(keyOf(START_MS - 1)).create(BODY);
    expect(made.createdAt).toBe(new Date(START_MS - 1).toISOString());
    await expect(tickets(undefined).create(BODY)).rejects.toThrow(InvalidError);
    await expect(tickets('').create(BODY)).rejects.toThrow(
      new TypeError('op creates tickets, whose ids derive from a key: declare keyed'),
    );
  });
});

test('whoever creates records of any entity sends a key where it is asked for', async () => {
  expect(creationHeaders(user)).toEqual({});
  const { 'idempotency-key': key } = creationHeaders(ticket);
  expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  const api = siteNamed('aws-us-east-1');
  api.site.nowMs = Date.now();
  expect((await create(api, key)).status).toBe(201);
});

interface Parameter {
  readonly name: string;
  readonly required?: boolean;
  readonly schema: { readonly pattern?: string };
}

test('the contract asks for the key, and the client makes it', async () => {
  const contract = openApiDocument([ticket], []);
  const { paths, components } = parse(contract) as {
    paths: Record<string, Record<string, { parameters: Parameter[] }>>;
    components: { schemas: Record<string, { properties: object }> };
  };
  const parameters = paths['/tickets']?.['post']?.parameters ?? [];
  const key = parameters.find(({ name }) => name === 'Idempotency-Key');
  expect(key?.required).toBe(true);
  const pattern = new RegExp(key?.schema.pattern ?? '');
  const keys = [keyOf(START_MS), `"${keyOf(START_MS)}"`, '919108f7-52d1-4320-9bac-f847db4148a8', 'x'];
  expect(keys.map((each) => pattern.test(each))).toEqual([true, true, false, false]);
  expect(Object.keys(components.schemas['TicketCreate']?.properties ?? {})).not.toContain('ticketId');
  const files = await clientFiles(contract);
  expect(files['packages/client/src/generated/schema.ts']).not.toMatch(/"Idempotency-Key": string/);
});
