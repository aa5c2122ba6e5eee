/** What a handler of a custom route may do wrong, and what it is never given. */
import { describe, expect, test } from '@jest/globals';
import { bodyBytesMax, responseReserveMs, routeAnswerBytesMax } from '../../../src/shared/bounds.ts';
import { defineRoutes } from '../../../src/shared/domain/routes/define-routes.ts';
import { customRoutes } from '../../../src/shared/http/custom-routes.ts';
import { httpService } from '../../../src/shared/http/service.ts';
import { invokeLambda } from '../../helpers/call.ts';
import { checksOf } from '../../helpers/sample-routes.ts';

interface Answered {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly logged: readonly Record<string, unknown>[];
}

/** What is answered by a route whose handler does this. */
async function answered(
  handle: (input: unknown) => unknown,
  { body = {}, remainingMs = 10_000 }: { readonly body?: unknown; readonly remainingMs?: number } = {},
): Promise<Answered> {
  const routes = defineRoutes({
    name: 'notes',
    description: 'Notes',
    operations: {
      note: {
        method: 'POST',
        path: '/notes',
        summary: 'Note',
        input: { text: { type: 'string' } },
        output: { text: { type: 'string' } },
        handle: ({ input }) => handle(input) as { text: string },
      },
    },
  });
  const logged: Record<string, unknown>[] = [];
  const service = httpService({
    site: 'aws-us-east-1',
    routes: customRoutes(routes, { checks: checksOf(routes), entities: [], context: () => ({}) }),
    logger: { log: (level, message, fields) => void logged.push({ level, message, ...fields }) },
    elapsed: () => 0,
  });
  const context = { awsRequestId: 'r1', getRemainingTimeInMillis: () => remainingMs };
  const { status, text } = await invokeLambda((event: never) => service(event, context), {
    method: 'POST',
    path: '/notes',
    body,
  });
  const ofFault = logged.filter(({ message }) => message === 'request failed');
  return { status, json: JSON.parse(text) as Record<string, unknown>, logged: ofFault };
}

const cyclic: Record<string, unknown> = {};
cyclic['text'] = cyclic;

describe('a handler of a custom route', () => {
  const reject = (error: unknown) => () => {
    throw error;
  };
  test.each<[string, (input: unknown) => unknown, RegExp]>([
    ['throws', reject(new TypeError('secret of the inside')), /secret of the inside/],
    ['throws before its first await', () => (undefined as unknown as { x: { y: 1 } }).x.y, /undefined/],
    ['throws what is no error', reject('secret of the inside'), /secret of the inside/],
    ['throws nothing', reject(undefined), /unknown/],
    ['answers what is no JSON', () => cyclic, /circular/],
    ['answers a number that JSON does not have', () => ({ text: 1n }), /BigInt/],
    ['answers nothing', () => undefined, /does not declare/],
    ['answers what it does not declare', () => ({ text: 'a', more: 1 }), /more/],
    [
      'answers more than a cloud passes on',
      () => ({ text: 'x'.repeat(routeAnswerBytesMax) }),
      /answered 3000011 bytes, and 3000000 is the most/,
    ],
  ])('that %s is a fault: 500 with the id, and the reason in the log alone', async (_, handle, reason) => {
    const { status, json, logged } = await answered(handle);
    expect([status, json['code'], json['instance']]).toEqual([500, 'internal', 'urn:request:r1']);
    expect(JSON.stringify(json)).not.toContain('secret');
    expect(logged).toEqual([expect.objectContaining({ requestId: 'r1', error: expect.anything() })]);
    expect(String(logged[0]?.['error'])).toMatch(reason);
  });

  test('may answer as much as a cloud passes on', async () => {
    const text = 'x'.repeat(routeAnswerBytesMax - '{"text":""}'.length);
    expect((await answered(() => ({ text }))).status).toBe(200);
  });

  test('that never answers is answered for while there is time: it may have taken effect', async () => {
    const never = (): unknown => new Promise(() => undefined);
    const { status, json } = await answered(never, { remainingMs: responseReserveMs + 1 });
    expect([status, json['code'], json['instance']]).toEqual([503, 'ambiguous', 'urn:request:r1']);
  });

  test('is given no more than a body may have, nor what is no JSON', async () => {
    const given: unknown[] = [];
    const take = (input: unknown): unknown => {
      given.push(input);
      return { text: 'a' };
    };
    const sized = (bytes: number): string => `{"text":"${'x'.repeat(bytes - '{"text":""}'.length)}"}`;
    expect((await answered(take, { body: sized(bodyBytesMax) })).status).toBe(200);
    expect((await answered(take, { body: sized(bodyBytesMax + 1) })).json).toMatchObject({
      status: 413,
      code: 'too_large',
    });
    expect((await answered(take, { body: '['.repeat(1_000) })).status).toBe(400);
    expect(given).toHaveLength(1);
  });
});
