/** What the local host reads from the template of a real site, and from the service's settings. */
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { localSettings } from '../../src/azure-host/settings.ts';
import { parseDuration, readSiteTemplate } from '../../src/azure-host/template.ts';

const TEMPLATE = path.join(import.meta.dirname, '../../../../infra/azure/site.json');

test('the container of the template is partitioned by id and indexes only what is queried', () => {
  const { database, container } = readSiteTemplate(TEMPLATE);
  expect({ database, container }).toEqual({
    database: 'tandem',
    container: {
      id: 'records',
      partitionKey: { paths: ['/id'], kind: 'Hash', version: 2 },
      defaultTtl: -1,
      indexingPolicy: expect.objectContaining({
        includedPaths: ['l', 'p_at', 'p_shard', 'x1', 'y1', 'x2', 'y2', 'x3', 'y3', 'x4', 'y4', 'd_at'].map(
          (name) => ({ path: `/${name}/?` }),
        ),
        excludedPaths: [{ path: '/*' }],
      }),
    },
  });
});

test('the queues of the template have their limits in milliseconds', () => {
  const { queues, tier } = readSiteTemplate(TEMPLATE);
  expect(tier).toBe('Basic');
  expect(queues.map(({ name }) => name)).toEqual([
    'tandem-out',
    'tandem-in',
    'tandem-verify',
    'tandem-react',
    'tandem-objects',
    'tandem-dead',
  ]);
  expect(queues[0]).toEqual({
    name: 'tandem-out',
    lockDurationMs: 60_000,
    maxDeliveryCount: 10,
    defaultTtlMs: 14 * 86_400_000,
    deadLetterOnExpiry: true,
    maxSizeInMegabytes: 5_120,
  });
});

describe('a duration', () => {
  test.each([
    ['PT30S', 30_000],
    ['PT5M', 300_000],
    ['P1DT2H', 93_600_000],
  ])('%s is read', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['30', 'P', 'PT', 'P1M', 'PT1.5S'])('%s is refused', (text) => {
    expect(() => parseDuration(text)).toThrow(SyntaxError);
  });
});

describe('local settings', () => {
  test('come from the service, the environment first', () => {
    const declared = { TANDEM_SITE: 'azure-eastus', TANDEM_PEERS: '["aws-us-east-1"]' };
    expect(localSettings(declared, { TANDEM_SITE: 'azure-westeurope' })).toEqual({
      TANDEM_SITE: 'azure-westeurope',
      TANDEM_PEERS: '["aws-us-east-1"]',
    });
  });

  test('leave out what only the template knows, unless the environment says it', () => {
    const declared = { COSMOS_ENDPOINT: "[variables('a')]", SERVICE_BUS_NAMESPACE: "[variables('b')]" };
    expect(localSettings(declared, { COSMOS_ENDPOINT: 'http://127.0.0.1:8081' })).toEqual({
      COSMOS_ENDPOINT: 'http://127.0.0.1:8081',
    });
  });

  test('give the triggers the connection string of the application', () => {
    expect(localSettings({}, { SERVICE_BUS_CONNECTION: 'Endpoint=a' })).toEqual({ ServiceBus: 'Endpoint=a' });
  });
});
