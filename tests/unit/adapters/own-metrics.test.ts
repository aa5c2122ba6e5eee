import { describe, expect, test } from '@jest/globals';
import { openOwnMetrics as openOnAws } from '../../../src/shared/adapters/aws/metrics.ts';
import { openOwnMetrics as openOnAzure } from '../../../src/shared/adapters/azure/metrics.ts';
import { ownSeriesMax } from '../../../src/shared/bounds.ts';

describe.each([
  ['aws', openOnAws],
  ['azure', openOnAzure],
] as const)('metrics of one’s own on %s', (cloud, open) => {
  function metrics() {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
    return { metrics: open({ site: 's1', write, now: () => 0 }), lines };
  }

  test('are lines of the log, each with its value and its dimensions', () => {
    const { metrics: own, lines } = metrics();
    own.record('MailsSent');
    own.record('ProviderMs', 12.5, { provider: 'stripe' });
    expect(lines).toMatchObject([
      { time: '1970-01-01T00:00:00.000Z', site: 's1', message: 'own metric', MailsSent: 1 },
      { site: 's1', ProviderMs: 12.5, provider: 'stripe' },
    ]);
    if (cloud === 'aws') {
      expect(lines.map(({ _aws }) => _aws)).toMatchObject([
        {
          Timestamp: 0,
          CloudWatchMetrics: [
            {
              Namespace: 'Tandem/Own',
              Dimensions: [['site']],
              Metrics: [{ Name: 'MailsSent', Unit: 'Count' }],
            },
          ],
        },
        {
          CloudWatchMetrics: [
            { Dimensions: [['site', 'provider']], Metrics: [{ Name: 'ProviderMs', Unit: 'Milliseconds' }] },
          ],
        },
      ]);
    }
  });

  test.each([
    ['mailsSent', 1, {}, /mailsSent/],
    ['M', 1, {}, /'M'/],
    ['MailsSent', Number.NaN, {}, /NaN/],
    ['MailsSent', 1, { Site: 'x' }, /'Site'/],
    ['MailsSent', 1, { site: 'x' }, /'site'/],
    ['MailsSent', 1, { customer: '' }, /0 characters/],
    ['MailsSent', 1, { customer: 'c'.repeat(65) }, /65 characters/],
    ['MailsSent', 1, { aa: '1', bb: '2', cc: '3', dd: '4' }, /more than 3/],
  ] as const)('refuse %p %p %p', (name, value, dimensions, message) => {
    const { metrics: own, lines } = metrics();
    expect(() => own.record(name, value, dimensions)).toThrow(message);
    expect(lines).toEqual([]);
  });

  test('no more than fifty are made by one process; what comes then is under the name alone, and said once', () => {
    const { metrics: own, lines } = metrics();
    for (let i = 0; i < ownSeriesMax + 10; i += 1) own.record('MailsSent', 1, { customer: `c${i}` });
    const customers = lines.filter(({ customer }) => customer !== undefined);
    expect(customers).toHaveLength(ownSeriesMax);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(lines).toHaveLength(ownSeriesMax + 10 + 1);
  });
});
