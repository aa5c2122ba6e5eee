/** What a request that is refused says, and what the log has of it. */
import { expect, test } from '@jest/globals';
import Ajv from 'ajv';
import { httpEntry } from '../../../src/shared/adapters/aws/entries.ts';
import { IndexIncompleteError } from '../../../src/shared/errors.ts';
import type { Route } from '../../../src/shared/http/route.ts';
import { httpService } from '../../../src/shared/http/service.ts';
import { type Call, invokeLambda } from '../../helpers/call.ts';

const SEATS = {
  type: 'object',
  additionalProperties: false,
  required: ['by', 'seats'],
  properties: { by: { type: 'string' }, seats: { type: 'integer' }, note: { type: 'string' } },
};
const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/list',
    handle: () =>
      Promise.reject(new IndexIncompleteError('the index byDate is not complete at every site yet')),
  },
  { method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('broken')) },
  {
    method: 'POST',
    path: '/confirm',
    body: new Ajv.default({ allErrors: true }).compile(SEATS),
    handle: () => Promise.resolve({ status: 204 }),
  },
];

async function answered(call: Call): Promise<{ status: number; detail: unknown; lines: readonly string[] }> {
  const lines: string[] = [];
  const logger = { log: (level: string, line: string) => void lines.push(`${level} ${line}`) };
  const handler = httpEntry(httpService({ site: 'aws-us-east-1', routes: ROUTES, logger, elapsed: () => 0 }));
  const { status, text } = await invokeLambda(handler, call);
  return { status, detail: (JSON.parse(text) as { detail: unknown }).detail, lines };
}

test('who waits for an index leaves the line of the request, and no error a poll', async () => {
  expect((await answered({ method: 'GET', path: '/list' })).lines).toEqual(['info request']);
  expect((await answered({ method: 'GET', path: '/broken' })).lines).toEqual([
    'error request failed',
    'info request',
  ]);
});

test.each([
  ['a type', { 'content-type': 'application/json' }],
  ['the type of an empty form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['no type', {}],
])('a body that is missing, with %s, is asked for with what it must have', async (_title, headers) => {
  expect(await answered({ method: 'POST', path: '/confirm', headers })).toMatchObject({
    status: 400,
    detail: 'a JSON body is required, with by, seats',
  });
});
