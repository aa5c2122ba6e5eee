/** What a runbook asks of sites and of webhooks, at servers whose answers keep to the contract. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '@tandem-clouds/emulators/core/http-emulator';
import { virtualClock } from '@tandem-clouds/testkit/virtual-clock';
import { type Notice, send } from '../../../dns/monitor/notify.ts';
import { pause, resume } from '../../../dns/monitor/replication.ts';
import { breaches } from '../../../infra/rollout/contract-breaches.ts';

const PEER = 'azure-eastus';
const KEY = 'the-key';
const HEADERS = {
  'content-type': 'application/json',
  'x-request-id': '1',
  'x-tandem-site': 'aws-us-east-1',
  'strict-transport-security': 'max-age=1',
  'x-content-type-options': 'nosniff',
};

let server: HttpEmulator;
let paused: boolean;
let problem: string | undefined;
/** In which the emulator breaks the contract. */
const broken: string[] = [];

beforeAll(async () => {
  server = await startHttpEmulator(answer);
});
afterAll(() => server.close());
afterEach(() => {
  expect(broken).toEqual([]);
});
beforeEach(() => {
  server.faults.length = 0;
  (server.requested as IncomingRequest[]).length = 0;
  paused = false;
  problem = undefined;
});

function answer({ method, path, headers }: IncomingRequest): Response {
  if (path === '/hook') return { status: 202, body: '{}' };
  if (headers.authorization !== `Bearer ${KEY}`) {
    return {
      status: 401,
      headers: HEADERS,
      body: JSON.stringify({ detail: 'the operator key is not accepted' }),
    };
  }
  if (method !== 'GET') paused = method === 'PUT';
  const body =
    method === 'GET'
      ? { site: 'aws-us-east-1', pauses: [{ peer: PEER, paused }] }
      : {
          peer: PEER,
          paused,
          ...(method === 'DELETE' && {
            sent: { keys: 7, complete: problem === undefined, ...(problem && { problem }) },
          }),
        };
  const text = JSON.stringify(body);
  broken.push(...breaches(method, path, { status: 200, headers: HEADERS, text }));
  return { status: 200, headers: HEADERS, body: text };
}

describe('replication, as runbooks pause it', () => {
  const access = (operatorKey = KEY) => ({ url: server.url, operatorKey });
  const methods = () => server.requested.map(({ method }) => method);

  it('is paused once, and says whether it was sending', async () => {
    expect([await pause(access(), PEER), await pause(access(), PEER)]).toEqual([true, false]);
    expect(methods()).toEqual(['GET', 'PUT', 'GET']);
  });

  it('is resumed, and says how much has crossed at once', async () => {
    await pause(access(), PEER);
    expect(await resume(access(), PEER)).toBe(7);
    expect(paused).toBe(false);
  });

  it('says why the peer does not take what has gathered', async () => {
    problem = 'ExpiredToken';
    await expect(resume(access(), PEER)).rejects.toThrow(`${PEER} does not take it: ExpiredToken`);
  });

  it('says what the site says of a wrong key', async () => {
    await expect(pause(access('wrong'), PEER)).rejects.toThrow('the operator key is not accepted');
  });

  it('says that a site does not answer', async () => {
    server.faults.push({ matches: () => true, response: 'hang-up', times: 1 });
    await expect(pause(access(), PEER)).rejects.toThrow('the operator API does not answer');
  });
});

describe('people, as webhooks tell them', () => {
  const notice: Notice = {
    event: 'opened',
    zone: 'example.com',
    runbook: 'azure-lost',
    site: PEER,
    text: 'A site on Azure does not answer.',
    details: ['failover: done', 'capacity: within limits'],
    at: '2026-01-01T00:00:00.000Z',
    dedupKey: 'example.com/azure-lost/azure-eastus',
  };
  const report = (format: 'pagerduty' | undefined, event: Notice['event'] = 'opened') =>
    send(
      { do: 'notify', to: 'people', severity: 'critical', ...(format && { format }) },
      { ...notice, event },
      { webhook: { url: `${server.url}/hook`, routingKey: 'R' }, clock: virtualClock() },
    );
  const reported = () => server.requested.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  it('get a text that chat tools show, and the fields beside it', async () => {
    await report(undefined);
    expect(reported()).toEqual([
      { ...notice, text: 'A site on Azure does not answer.\n• failover: done\n• capacity: within limits' },
    ]);
  });

  it('are paged by an event that the same incident resolves', async () => {
    await report('pagerduty');
    await report('pagerduty', 'over');
    expect(reported().map(({ event_action, dedup_key }) => [event_action, dedup_key])).toEqual([
      ['trigger', notice.dedupKey],
      ['resolve', notice.dedupKey],
    ]);
    expect(reported()[0]).toMatchObject({
      routing_key: 'R',
      payload: { summary: notice.text, source: PEER, severity: 'critical', class: 'azure-lost' },
    });
  });

  it('are told again after an outage, and not after a refusal, and the address stays secret', async () => {
    server.faults.push({ matches: () => true, response: { status: 503, body: '' }, times: 2 });
    await report(undefined);
    expect(server.requested).toHaveLength(3);
    server.faults.push({ matches: () => true, response: { status: 403, body: '' }, times: 1 });
    await expect(report(undefined)).rejects.toThrow(/^the webhook 'people' answers 403$/);
    expect(server.requested).toHaveLength(4);
  });
});
