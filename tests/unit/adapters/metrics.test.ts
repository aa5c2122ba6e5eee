import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { openMetrics as openAws } from '../../../src/shared/adapters/aws/metrics.ts';
import { openMetrics as openAzure } from '../../../src/shared/adapters/azure/metrics.ts';
import type { Metrics } from '../../../src/shared/ports/telemetry.ts';
import { START_MS } from '../../helpers/test-site.ts';

/**
 * The rules of the embedded metric format, as a schema.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
const name = { type: 'string', minLength: 1, maxLength: 1024 } as const;
const DIRECTIVE = {
  type: 'object',
  required: ['Namespace', 'Dimensions', 'Metrics'],
  additionalProperties: false,
  properties: {
    Namespace: name,
    Dimensions: {
      type: 'array',
      minItems: 1,
      items: { type: 'array', maxItems: 30, items: { ...name, maxLength: 250 } },
    },
    Metrics: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      items: {
        type: 'object',
        required: ['Name'],
        additionalProperties: false,
        properties: {
          Name: name,
          Unit: { enum: ['Milliseconds', 'Count'] },
          StorageResolution: { enum: [1, 60] },
        },
      },
    },
  },
} as const;
const isDocument = new Ajv().compile({
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      additionalProperties: false,
      properties: {
        Timestamp: { type: 'integer' },
        CloudWatchMetrics: { type: 'array', items: DIRECTIVE },
      },
    },
  },
});

interface EmfDocument extends Record<string, unknown> {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

/** What breaks the format, what its references point at included. */
function breaches(document: EmfDocument): string[] {
  if (!isDocument(document)) return (isDocument.errors ?? []).map(({ message = '' }) => message);
  return document._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) => [
    ...Dimensions.flat().filter((target) => typeof document[target] !== 'string'),
    ...Metrics.map(({ Name }) => Name).filter((target) => typeof document[target] !== 'number'),
  ]);
}

const parsed = (text: string | undefined): EmfDocument => JSON.parse(text ?? '') as EmfDocument;

function linesOf(open: typeof openAws, use: (metrics: Metrics) => void): string[] {
  const lines: string[] = [];
  use(open({ site: 'aws-us-east-1', write: (line) => lines.push(line), now: () => START_MS }));
  return lines;
}

function measure(metrics: Metrics): void {
  metrics.record({ KeysAtRisk: 3, OldestPendingMs: 1_250, SafeTimeAgeMs: 0 }, 'azure-eastus');
  metrics.record({ DeadLetters: 1 });
}

describe('metrics on AWS', () => {
  test('are documents of the embedded metric format, one a line', () => {
    const lines = linesOf(openAws, measure);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatch(/^\{[^\n]*\}\n$/);
      expect(breaches(parsed(line))).toEqual([]);
    }
  });

  test('have the dimensions site and peer, units, and a namespace of their own', () => {
    const [ofPeer, ofSite] = linesOf(openAws, measure).map((line) => parsed(line));
    expect(ofPeer).toMatchObject({ site: 'aws-us-east-1', peer: 'azure-eastus', KeysAtRisk: 3 });
    expect(ofPeer?._aws).toEqual({
      Timestamp: START_MS,
      CloudWatchMetrics: [
        {
          Namespace: 'Tandem',
          Dimensions: [['site', 'peer']],
          Metrics: [
            { Name: 'KeysAtRisk', Unit: 'Count' },
            { Name: 'OldestPendingMs', Unit: 'Milliseconds' },
            { Name: 'SafeTimeAgeMs', Unit: 'Milliseconds' },
          ],
        },
      ],
    });
    expect(ofSite?._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([['site']]);
    expect(ofSite).not.toHaveProperty('peer');
  });

  test('the check itself finds a metric without its value', () => {
    const [line] = linesOf(openAws, measure);
    expect(breaches({ ...parsed(line), KeysAtRisk: undefined })).toEqual(['KeysAtRisk']);
  });
});

describe('metrics on Azure', () => {
  test('are log lines with a fixed message and numbers, one a line', () => {
    const lines = linesOf(openAzure, measure);
    expect(lines.every((line) => /^\{[^\n]*\}\n$/.test(line))).toBe(true);
    expect(lines.map((line) => parsed(line))).toEqual([
      {
        time: new Date(START_MS).toISOString(),
        level: 'info',
        message: 'metrics',
        site: 'aws-us-east-1',
        peer: 'azure-eastus',
        KeysAtRisk: 3,
        OldestPendingMs: 1_250,
        SafeTimeAgeMs: 0,
      },
      expect.objectContaining({ site: 'aws-us-east-1', message: 'metrics', DeadLetters: 1 }),
    ]);
  });
});
