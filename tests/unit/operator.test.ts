import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { HttpResponse } from '../../infra/rollout/contract-breaches.ts';
import { httpEntry } from '../../src/shared/adapters/aws/entries.ts';
import { itemWrite } from '../../src/shared/generated/validators.js';
import { forOperators } from '../../src/shared/http/operator.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { invokeLambda } from '../helpers/call.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const logged: string[] = [];

/** Asks a route that is only for operators and takes a body. */
function query(keys: readonly string[], headers: Record<string, string>): Promise<HttpResponse> {
  const routes = forOperators(keys.map(sha256), [
    { method: 'PUT', path: '/secret', body: itemWrite, handle: () => ({ status: 200, body: {} }) },
  ]);
  const logger = { log: (...entry: unknown[]) => void logged.push(JSON.stringify(entry)) };
  const service = httpService({ site: 'aws-us-east-1', routes, logger, elapsed: () => 0 });
  return invokeLambda(httpEntry(service), {
    method: 'PUT',
    path: '/secret',
    headers,
    body: { id: 'a', data: {} },
  });
}

describe('a route for operators', () => {
  test.each([
    ['the only key', ['one'], 'Bearer one'],
    ['the older of two keys', ['one', 'two'], 'Bearer one'],
    ['the newer of two keys', ['one', 'two'], 'Bearer two'],
    ['a scheme in another case', ['one'], 'bearer one'],
  ])('serves who presents %s', async (_, keys, authorization) => {
    expect((await query(keys, { authorization })).status).toBe(200);
  });

  test.each([
    ['nothing', {}, 'Bearer realm="tandem"'],
    ['another scheme', { authorization: 'Basic b25lOm9uZQ==' }, 'Bearer realm="tandem"'],
    ['a wrong key', { authorization: 'Bearer three' }, 'Bearer realm="tandem", error="invalid_token"'],
    [
      'the digest of a key',
      { authorization: `Bearer ${sha256('one')}` },
      'Bearer realm="tandem", error="invalid_token"',
    ],
  ])('refuses who presents %s, and says how to ask', async (_, headers, challenge) => {
    const response = await query(['one', 'two'], headers);
    expect([response.status, response.headers['www-authenticate']]).toEqual([401, challenge]);
    expect(JSON.parse(response.text)).toMatchObject({ code: 'unauthorized' });
  });

  test('refuses before it looks at the body', async () => {
    const response = await query(['one'], { 'content-type': 'text/plain' });
    expect(response.status).toBe(401);
  });

  test('says that a site without keys accepts nobody', async () => {
    const response = await query([], { authorization: 'Bearer one' });
    expect(response.status).toBe(403);
    expect(response.text).toContain('TANDEM_OPERATOR_KEYS');
  });

  test('is logged with the key that was used, by the start of its digest', async () => {
    logged.length = 0;
    await query(['one', 'two'], { authorization: 'Bearer two' });
    await query(['one', 'two'], { authorization: 'Bearer three' });
    expect(logged[0]).toContain(`"caller":"operator ${sha256('two').slice(0, 8)}"`);
    expect(logged[1]).not.toContain('"caller"');
  });

  test('never writes a key to the log', async () => {
    logged.length = 0;
    await query(['one'], { authorization: 'Bearer very-secret' });
    await query(['very-secret'], { authorization: 'Bearer very-secret' });
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join()).not.toContain('very-secret');
  });
});
