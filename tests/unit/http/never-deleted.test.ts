/** Records that callers never delete. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { contract } from '../../../infra/rollout/contract.ts';
import { smoke } from '../../../infra/rollout/smoke.ts';
import { openApiDocument } from '../../../scripts/generate/openapi.ts';
import type { WritableRecords } from '../../../src/shared/domain/routes/route-records.ts';
import type { HttpRequest } from '../../../src/shared/http/route.ts';
import { recordsOfRequest } from '../../../src/shared/http/route-records.ts';
import { closeAfterEach } from '../../helpers/cleanup.ts';
import { type OwnedApi, ownedApi } from '../../helpers/owned-entity.ts';
import { START_MS } from '../../helpers/test-site.ts';
import { keyOf, ticket } from '../../helpers/ticket.ts';

const closing = closeAfterEach();
const open = (): OwnedApi => ownedApi(ticket, [], undefined, { trustsEverybody: true });

async function created({ call }: OwnedApi): Promise<string> {
  const headers = { 'idempotency-key': keyOf(START_MS) };
  const body = { show: 'Hamlet', cents: 2_500 };
  const { text } = await call(undefined, { method: 'POST', path: '/tickets', headers, body });
  return (JSON.parse(text) as { id: string }).id;
}

test('DELETE is a method that they do not take', async () => {
  const api = open();
  const path = `/tickets/${await created(api)}`;
  const refused = await api.call(undefined, { method: 'DELETE', path });
  expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, PATCH, OPTIONS']);
  expect((await api.call(undefined, { method: 'GET', path })).status).toBe(200);
});

test('a handler that deletes one is wrong, and nothing is deleted', async () => {
  const api = open();
  const id = await created(api);
  const request = { headers: {}, params: {}, query: {}, body: undefined } as unknown as HttpRequest;
  const options = { operation: 'op', keyed: false, actsForAnybody: false, namesStates: true, body: {} };
  const tickets = recordsOfRequest([api.used], request, options).records['ticket'] as WritableRecords;
  await expect(tickets.remove(id)).rejects.toThrow(
    new TypeError('tickets are never deleted: ticket is not removable'),
  );
  expect(await tickets.read(id)).toMatchObject({ id });
});

test('the contract has no such operation', () => {
  const { paths } = parse(openApiDocument([ticket], [])) as { paths: Record<string, object> };
  expect(Object.keys(paths['/tickets/{ticketId}'] ?? {})).toEqual(['get', 'patch']);
});

test('smoke test and contract test write none of them', async () => {
  const requested: string[] = [];
  const server = http.createServer(({ method = '', url = '' }, response) => {
    requested.push(`${method} ${url}`.replace(/\/(smoke|contract)-\w+/, '/none'));
    response.writeHead(404, { 'content-type': 'application/problem+json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { passed } = await smoke({ url, declared: { entities: [ticket], routes: [] } });
  expect(passed).toEqual([
    'tickets: a read of what is not there: answered; nothing was written, because nobody deletes it',
  ]);
  await contract(url, [ticket]);
  const ofTickets = requested.filter((line) => line.includes('/tickets'));
  expect(ofTickets).toEqual([
    'GET /tickets/none',
    'GET /tickets/none',
    'DELETE /tickets/none',
    'GET /tickets?limit=1',
    // Refused by its body.
    'POST /tickets',
    'OPTIONS /tickets',
  ]);
});
