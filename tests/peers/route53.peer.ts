/**
 * The commands against moto's Route 53, through the real client; `npm run test:peers` starts it and says where it is.
 *
 * Where moto 5.2 is not the service: it deletes a routed record set by its identifier alone, at every name of the zone, so
 * each zone here has one routed name; it may refuse to create what was there once and has been replaced since, so traffic
 * is restored to other weights than before, in one step; and it deletes without a word what is not there any more, so it
 * cannot show that a lost lock is noticed (tests/unit/dns/providers.test.ts does). It does not slow anybody down, so time
 * is virtual.
 */
import { randomUUID } from 'node:crypto';
import {
  CreateHostedZoneCommand,
  ListHealthChecksCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type VirtualClock, virtualClock } from '@tandem-clouds/testkit/virtual-clock';
import type { Strategy } from '@tandem-clouds/zone/model';
import { withLock } from '../../dns/plan/lock.ts';
import type { Provider } from '../../dns/provider.ts';
import { Route53Provider } from '../../dns/providers/route53/provider.ts';
import { policyText } from '../helpers/dns/fixtures.ts';
import { type Operator, operatorOf } from '../helpers/dns/operator.ts';

const endpoint = process.env['TANDEM_PEER_ROUTE53'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_ROUTE53 is not set; run npm run test:peers');
const config = {
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'peer', secretAccessKey: 'peer' },
};

const client = new Route53Client(config);
let zone: string;
let zoneId: string;
let clock: VirtualClock;
let provider: Provider;
let operator: Operator;

beforeEach(async () => {
  zone = `z${randomUUID().slice(0, 8)}.test`;
  const made = await client.send(new CreateHostedZoneCommand({ Name: zone, CallerReference: zone }));
  zoneId = made.HostedZone?.Id ?? '';
  clock = virtualClock();
  provider = new Route53Provider({ zone, clock, config });
  operator = operatorOf({ provider, clock });
});
afterEach(() => {
  operator.leave();
});

function write(strategy: Strategy, weight = 50): void {
  const sites = `[{ site: aws-us-east-1, weight: ${100 - weight} }, { site: azure-eastus, weight: ${weight} }]`;
  operator.write(policyText({ zone, names: `\n  - { name: api, strategy: ${strategy}, sites: ${sites} }` }));
}

/** Of the routed name, by identifier. */
async function routedSets(): Promise<readonly ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }),
  );
  return ResourceRecordSets.filter(({ Name }) => Name === `api.${zone}.`);
}

async function checkIds(): Promise<readonly (string | undefined)[]> {
  const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
  return HealthChecks.map(({ Id }) => Id);
}

describe.each<Strategy>(['weighted', 'latency', 'geolocation', 'failover'])('a zone with %s', (strategy) => {
  beforeEach(async () => {
    write(strategy);
    const applied = await operator.run(['apply', '--yes']);
    expect(applied).toMatchObject({ code: 0, err: '' });
  });

  it('has nothing to do after one apply, and every answer has a health check that exists', async () => {
    expect((await operator.run(['plan'])).out).toContain('nothing to do');
    const known = await checkIds();
    const sets = await routedSets();
    expect(new Set(sets.map(({ SetIdentifier = '' }) => SetIdentifier.split('@')[0]))).toEqual(
      new Set(['aws-us-east-1', 'azure-eastus']),
    );
    for (const { HealthCheckId } of sets) expect(known).toContain(HealthCheckId);
  });

  it('is dumped as a policy that plans to nothing', async () => {
    const { out } = await operator.run(['dump']);
    operator.write(out);
    expect((await operator.run(['plan'])).out).toContain('nothing to do');
  });

  it('is drained of a site, and restored to what the policy says by then', async () => {
    const sites = async (): Promise<readonly string[]> =>
      (await routedSets())
        .filter(({ Weight }) => Weight !== 0)
        .map(({ SetIdentifier = '' }) => SetIdentifier);
    const before = await sites();
    expect(await operator.run(['drain', 'azure-eastus'])).toMatchObject({ code: 0 });
    expect((await sites()).join()).not.toContain('azure-eastus');
    expect((await operator.run(['plan'])).out).toMatch(/azure-eastus at 0 %[^]*nothing to do/);
    write(strategy, 45);
    expect(await operator.run(['restore', '--now'])).toMatchObject({ code: 0 });
    expect(await sites()).toEqual(before);
    expect((await operator.run(['plan'])).out).toMatch(/^(?!.*beside the policy)[^]*nothing to do/);
  });
});

describe('the lock of a zone', () => {
  const report = () => undefined;

  it('is taken once, refused to a second operator, and given back', async () => {
    await withLock({ provider, clock, report, owner: 'first' }, async () => {
      await expect(
        withLock({ provider, clock, report, owner: 'second' }, () => Promise.resolve()),
      ).rejects.toThrow(/locked by first until/);
    });
    expect(await provider.readLock()).toBeUndefined();
  });

  it('is taken over when it is stale', async () => {
    await withLock({ provider, clock, report, owner: 'first' }, async () => {
      await clock.sleep(300_000);
      await withLock({ provider, clock, report, owner: 'second' }, async () => {
        expect((await provider.readLock())?.owner).toBe('second');
      });
    });
  });
});
