/** A request for what another site keeps: where it is sent, and that nothing of it stays here. */
import { describe, expect, test } from '@jest/globals';
import { operationFactsOf } from '../../../scripts/generate/client.ts';
import { entityPaths } from '../../../scripts/generate/openapi-entity.ts';
import { sha256 } from '../../../src/shared/digest.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { placementOf } from '../../../src/shared/domain/placement.ts';
import { uniqueValues } from '../../../src/shared/domain/unique/unique-values.ts';
import { elsewhere } from '../../../src/shared/http/elsewhere.ts';
import { keptElsewhere, requireKnownSites } from '../../../src/shared/http/kept-elsewhere.ts';
import { httpService } from '../../../src/shared/http/service.ts';
import { invokeLambda } from '../../helpers/call.ts';
import { routesOf } from '../../helpers/entity-checks.ts';
import { TestSite } from '../../helpers/test-site.ts';

const [AWS, AZURE, EU] = ['aws-us-east-1', 'azure-eastus', 'aws-eu-west-1'];

const patient = defineEntity({
  name: 'patient',
  collection: 'patients',
  idField: 'patientId',
  description: 'A patient',
  required: ['email'],
  fields: { email: { type: 'string', maxLength: 100 } },
  actions: { admit: { summary: 'Admit', decide: () => undefined } },
  unique: ['email'],
  sites: [EU, AWS],
  example: { email: 'ada@example.com' },
});
const keptAt = placementOf({ patient: [EU, AWS] })!;

/** The service of a site that knows these peers, with what it logs. */
function serviceAt(name: string, peers: readonly string[]): { handler: unknown; logged: unknown[] } {
  const logged: unknown[] = [];
  const site = new TestSite(name, peers);
  site.site = { ...site.site, keptAt };
  const replica = site.replica([], undefined, uniqueValues([patient], sha256));
  const handler = httpService({
    site: name,
    routes: keptElsewhere(patient, name, routesOf(patient, replica)),
    logger: { log: (_, message, fields) => void logged.push({ message, ...fields }) },
    elapsed: () => 0,
    elsewhere: elsewhere(peers.map((peer) => ({ site: peer, url: `https://${peer}.example` }))),
  });
  return { handler, logged };
}

const REQUESTS = [
  ['POST', '/patients'],
  ['GET', '/patients?limit=3'],
  ['GET', '/patients/ada'],
  ['HEAD', '/patients/ada'],
  ['PATCH', '/patients/ada'],
  ['DELETE', '/patients/ada'],
  ['POST', '/patients/ada/admit'],
] as const;

describe('at a site that does not keep it', () => {
  test.each(REQUESTS)(
    '%s %s is sent to the first peer that does, with path and query',
    async (method, path) => {
      const { handler, logged } = serviceAt(AZURE, [AWS, EU]);
      const body = method === 'POST' || method === 'PATCH' ? '{"not":' : undefined;
      const { status, headers, text } = await invokeLambda(handler, { method, path, ...(body && { body }) });
      expect([status, headers['location'], headers['x-tandem-at']]).toEqual([
        307,
        `https://${EU}.example${path}`,
        EU,
      ]);
      expect(headers['cache-control']).toBe('no-store');
      if (method !== 'HEAD') expect(JSON.parse(text)).toMatchObject({ status: 307, code: 'not_kept_here' });
      expect(JSON.stringify(logged)).not.toContain('ada');
    },
  );

  test('a client that follows by itself gets 421 with the same address', async () => {
    const { handler } = serviceAt(AZURE, [AWS]);
    const call = { method: 'GET', path: '/patients/ada', headers: { 'x-tandem-follow': '1' } };
    const { status, headers } = await invokeLambda(handler, call);
    expect([status, headers['location'], headers['x-tandem-at']]).toEqual([
      421,
      `https://${AWS}.example/patients/ada`,
      AWS,
    ]);
  });

  test('without a peer that keeps it, it is 421 and says who does', async () => {
    const { handler } = serviceAt(AZURE, ['azure-westeurope']);
    const { status, headers, text } = await invokeLambda(handler, { method: 'GET', path: '/patients/ada' });
    expect([status, headers['location']]).toEqual([421, undefined]);
    expect(JSON.parse(text)).toMatchObject({
      code: 'not_kept_here',
      detail: `records of patient are kept at ${EU}, ${AWS} only`,
    });
  });
});

test('a site that keeps it answers by itself', async () => {
  const { handler } = serviceAt(AWS, [AZURE, EU]);
  const made = await invokeLambda(handler, {
    method: 'POST',
    path: '/patients',
    body: { patientId: 'ada', email: 'ada@example.com' },
  });
  expect(made.status).toBe(201);
  expect((await invokeLambda(handler, { method: 'GET', path: '/patients/ada' })).status).toBe(200);
});

test('of what another site writes, reads are answered here and writes are sent there', async () => {
  const account = defineEntity({
    name: 'account',
    collection: 'accounts',
    idField: 'accountId',
    description: 'An account',
    required: ['holder'],
    fields: { holder: { type: 'string' } },
    actions: { close: { summary: 'Close', decide: () => ({ holder: 'nobody' }) } },
    writes: AWS,
    example: { holder: 'ada' },
  });
  const azure = new TestSite(AZURE, [AWS]);
  await azure.write('account:1', { holder: 'ada', createdAt: '2030-01-01T00:00:00Z' });
  azure.site = { ...azure.site, declaredWriter: () => AWS };
  const handler = httpService({
    site: AZURE,
    routes: keptElsewhere(account, AZURE, routesOf(account, azure.replica())),
    logger: { log: () => undefined },
    elapsed: () => 0,
    elsewhere: elsewhere([{ site: AWS, url: 'https://aws.example' }]),
  });
  const asked = async (method: string, path: string, body?: object): Promise<unknown[]> => {
    const { status, headers } = await invokeLambda(handler, { method, path, ...(body && { body }) });
    return [status, headers['location']];
  };
  expect(await asked('GET', '/accounts/1')).toEqual([200, undefined]);
  expect(await asked('GET', '/accounts')).toEqual([200, undefined]);
  for (const [method, path, body] of [
    ['POST', '/accounts', { holder: 'bob' }],
    ['PATCH', '/accounts/1', { holder: 'bob' }],
    ['POST', '/accounts/1/close', undefined],
    ['DELETE', '/accounts/1', undefined],
  ] as const)
    expect(await asked(method, path, body)).toEqual([307, `https://aws.example${path}`]);
  const paths = entityPaths(account);
  expect(operationFactsOf({ paths }).map(({ method, sites }) => [method, sites?.[0]])).toEqual([
    ['GET', undefined],
    ['POST', AWS],
    ['GET', undefined],
    ['PATCH', AWS],
    ['DELETE', AWS],
    ['POST', AWS],
  ]);
});

test('the claim of a unique value, of whichever release, is kept where its record is', () => {
  const key = uniqueValues([patient], sha256)('patient:1')!.reservationOf('email', 'ada@example.com');
  expect([key.endsWith('.patient'), keptAt(key)]).toEqual([true, [EU, AWS]]);
  const claims = ['0', [{ record: 'patient:1', at: 1, seen: 1, by: 'x' }]] as const;
  expect(keptAt('unique:abc', { fields: { claims }, vector: {} })).toEqual([EU, AWS]);
  expect([keptAt('unique:abc'), keptAt('user:1')]).toEqual([undefined, undefined]);
});

test('a site that nobody knows is a mistake at the start, with all that is known', () => {
  expect(() => requireKnownSites(patient, { site: AWS, peers: [AZURE], retired: [EU] })).not.toThrow();
  expect(() => requireKnownSites(patient, { site: AWS, peers: [AZURE] })).toThrow(
    `patient: ${EU} is none of ${AWS}, ${AZURE}`,
  );
});

test('the contract says 307 and 421, and the client which sites to ask', () => {
  const paths = entityPaths(patient);
  for (const operations of Object.values(paths))
    for (const operation of Object.values(operations))
      expect(Object.keys(operation['responses'] as object)).toEqual(expect.arrayContaining(['307', '421']));
  expect(new Set(operationFactsOf({ paths }).map(({ sites }) => sites))).toEqual(new Set([[EU, AWS]]));
});
