/** What the contract test says of a list that a site does not answer yet. The site that works is in the local rollout. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { contract } from '../../../infra/rollout/contract.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { closeAfterEach } from '../../helpers/cleanup.ts';

const HEADERS = {
  'x-request-id': 'r',
  'x-tandem-site': 'aws-test',
  'strict-transport-security': 'max-age=1',
  'x-content-type-options': 'nosniff',
  'content-type': 'application/problem+json',
};
const closing = closeAfterEach();

/** A site whose lists are refused by this code, and that knows nothing else. */
async function siteThatRefuses(code: string): Promise<string> {
  const problem = {
    type: 'about:blank',
    title: 'x',
    status: 503,
    detail: 'x',
    instance: 'urn:request:r',
    code,
  };
  const server = http.createServer(({ url = '' }, response) => {
    const isList = url.startsWith('/users?');
    response
      .writeHead(isList ? 503 : 404, HEADERS)
      .end(JSON.stringify(isList ? problem : { ...problem, status: 404 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a list that is refused', () => {
  const about = (lines: readonly string[]): readonly string[] =>
    lines.filter((line) => line.startsWith('GET /users?'));

  test('while its index is being filled was not checked, and that is said', async () => {
    const { broken, notYet } = await contract(await siteThatRefuses('index_incomplete'), [user]);
    expect(about(broken)).toEqual([]);
    expect(notYet).toEqual([expect.stringMatching(/^GET \/users\?limit=1: its index is still being filled/)]);
  });

  test('for any other reason breaks the contract', async () => {
    const { broken, notYet } = await contract(await siteThatRefuses('unavailable'), [user]);
    expect(about(broken)).toEqual([expect.stringContaining('503 instead of 200')]);
    expect(notYet).toEqual([]);
  });
});
