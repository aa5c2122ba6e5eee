/** Fields that a creation writes and nothing else: what clients are answered. */
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { trialRecord } from '../../../infra/rollout/trial-record.ts';
import { openApiDocument } from '../../../scripts/generate/openapi.ts';
import { type OwnedApi, ownedApi } from '../../helpers/owned-entity.ts';
import { START_MS } from '../../helpers/test-site.ts';
import { keyOf, ticket } from '../../helpers/ticket.ts';

const open = (): OwnedApi => ownedApi(ticket, [], undefined, { trustsEverybody: true });

async function send(
  { call }: OwnedApi,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const headers = path === '/tickets' ? { 'idempotency-key': keyOf(START_MS) } : {};
  const { status, text } = await call(undefined, {
    method,
    path,
    headers,
    ...(body !== undefined && { body }),
  });
  return { status, json: JSON.parse(text || '{}') as Record<string, unknown> };
}

test('a client gives such a field in a creation, and a change of it is refused by name', async () => {
  const api = open();
  const body = { show: 'Hamlet', cents: 2_500, seats: ['a1'], note: 'aisle' };
  const created = await send(api, 'POST', '/tickets', body);
  expect(created).toMatchObject({ status: 201, json: body });
  const one = `/tickets/${String(created.json['id'])}`;
  const refused = await send(api, 'PATCH', one, { show: 'Cats', cents: 1, note: 'window' });
  expect(refused).toMatchObject({
    status: 400,
    json: {
      errors: [
        { pointer: '/show', rule: 'by', detail: 'is written by creations, not by changes' },
        { pointer: '/cents', rule: 'by', detail: 'is written by creations and reactions, not by changes' },
      ],
    },
  });
  expect((await send(api, 'GET', one)).json).toMatchObject(body);
  expect(await send(api, 'PATCH', one, { note: 'window' })).toMatchObject({ status: 200 });
});

test('a creation without one that is required is refused', async () => {
  expect(await send(open(), 'POST', '/tickets', { show: 'Hamlet' })).toMatchObject({
    status: 400,
    json: { errors: [{ pointer: '/cents', rule: 'required' }] },
  });
});

test('a rule that writes one is a fault, and nothing is written', async () => {
  const api = open();
  const { json } = await send(api, 'POST', '/tickets', { show: 'Hamlet', cents: 2_500 });
  const one = `/tickets/${String(json['id'])}`;
  expect((await send(api, 'POST', `${one}/reshow`)).status).toBe(500);
  expect((await send(api, 'GET', one)).json).toMatchObject({ show: 'Hamlet' });
});

test('the contract has it in the body of a creation, and not in that of a change', () => {
  const { components } = parse(openApiDocument([ticket], [])) as {
    components: { schemas: Record<string, { required?: string[]; properties: object }> };
  };
  const { TicketCreate, TicketPatch, Ticket } = components.schemas;
  expect(TicketCreate?.properties).toMatchObject({ show: {}, cents: {}, seats: {}, note: {} });
  expect(TicketCreate?.required).toEqual(['show', 'cents']);
  expect(Object.keys(TicketPatch?.properties ?? {})).toEqual(['note']);
  expect(Ticket?.properties).toMatchObject({ show: {} });
});

test('a trial record gives it, and changes another one', () => {
  expect(trialRecord(ticket, 'smoke-1')).toMatchObject({
    body: { show: 'smoke-1', cents: 2_500 },
    change: undefined,
  });
  const noted = { ...ticket, example: { ...ticket.example, note: 'aisle' } };
  expect(trialRecord(noted, 'smoke-1').change).toEqual({ note: 'smoke-1-2' });
});
