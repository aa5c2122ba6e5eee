/**
 * What the local host reads from the resolved `serverless.aws.yml`: the functions, what triggers them, and the
 * tables and queues among the resources. The service definition is the one source of truth; nothing is listed
 * a second time here.
 */

import type { RecursiveLoop } from './recursion.ts';

export type CloudFormationValue =
  | string
  | number
  | boolean
  | null
  | readonly CloudFormationValue[]
  | { readonly [key: string]: CloudFormationValue };

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, CloudFormationValue>>;
}

/** The text of a plain value. @throws Error for a CloudFormation function, a list or nothing at all. */
export function textOf(value: CloudFormationValue | undefined): string {
  if (value === undefined || value === null || typeof value === 'object') {
    throw new Error(`expected a plain value, not ${JSON.stringify(value)}`);
  }
  return String(value);
}

/** One entry of `functions[].events`; only what runs locally is typed. */
export interface FunctionEvent {
  readonly httpApi?: unknown;
  readonly schedule?: string | { readonly rate: readonly string[]; readonly enabled?: boolean };
  readonly sqs?: {
    readonly arn: CloudFormationValue;
    readonly batchSize?: number;
    readonly enabled?: boolean;
    readonly maximumConcurrency?: number;
    readonly functionResponseType?: 'ReportBatchItemFailures';
  };
}

export interface FunctionDefinition {
  /** Deployed name: `tandem-prod-forward`. */
  readonly name: string;
  /** `src/bridge/forward.handler` */
  readonly handler: string;
  /** Seconds. */
  readonly timeout?: number;
  /** MB. */
  readonly memorySize?: number;
  events: FunctionEvent[];
  environment?: Record<string, CloudFormationValue>;
}

/** The part of the Serverless service object that the host relies on. */
export interface ServiceDefinition {
  readonly provider: {
    readonly region: string;
    readonly timeout?: number;
    readonly memorySize?: number;
    environment?: Record<string, CloudFormationValue>;
  };
  functions: Readonly<Record<string, FunctionDefinition>>;
  readonly resources?: {
    readonly Resources?: Readonly<Record<string, TemplateResource>>;
    /** What is added to resources that the framework makes, by their logical ids. */
    readonly extensions?: Readonly<Record<string, Partial<TemplateResource>>>;
  };
  custom?: Record<string, Record<string, unknown> | undefined>;
}

/** Whether a function may trigger itself for ever, as its resource says; the framework derives the id from the key. */
export function recursiveLoopOf({ resources }: ServiceDefinition, functionKey: string): RecursiveLoop {
  const id = `${functionKey.charAt(0).toUpperCase()}${functionKey.slice(1)}LambdaFunction`;
  return resources?.extensions?.[id]?.Properties?.['RecursiveLoop'] === 'Allow' ? 'Allow' : 'Terminate';
}

/** A queue that feeds a function, as an event source mapping does. */
export interface QueueTrigger {
  readonly functionKey: string;
  /** Logical id of the queue among the resources. */
  readonly queue: string;
  readonly batchSize: number;
  /** Batches that may be in flight at the same time. */
  readonly concurrency: number;
  readonly partialFailures: boolean;
}

export interface ScheduleTrigger {
  readonly functionKey: string;
  readonly periodMs: number;
}

export interface Triggers {
  readonly queues: readonly QueueTrigger[];
  readonly schedules: readonly ScheduleTrigger[];
}

/** SQS hands out ten messages per receive, so a local batch is never larger. */
const BATCH_MAX = 10;
/** Lambda starts with five pollers per queue; one process on one machine gains nothing from more. */
const LOCAL_CONCURRENCY_MAX = 5;

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Milliseconds of an EventBridge `rate(…)`: `rate(1 minute)` is 60,000.
 * @throws Error for `cron(…)`, which is not run locally, and for anything else.
 */
export function ratePeriodMs(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  if (count === undefined || unitMs === undefined) {
    throw new Error(`schedule ${expression}: only rate(…) runs locally`);
  }
  return Number(count) * unitMs;
}

function logicalIdOf(arn: CloudFormationValue, functionKey: string): string {
  if (typeof arn === 'object' && arn !== null && 'Fn::GetAtt' in arn) {
    const target = arn['Fn::GetAtt'];
    if (Array.isArray(target) && typeof target[0] === 'string') return target[0];
  }
  throw new Error(`${functionKey}: sqs.arn must be { Fn::GetAtt: [queue, Arn] } of a queue in the resources`);
}

function queueTrigger(functionKey: string, sqs: NonNullable<FunctionEvent['sqs']>): QueueTrigger {
  return {
    functionKey,
    queue: logicalIdOf(sqs.arn, functionKey),
    batchSize: Math.min(sqs.batchSize ?? BATCH_MAX, BATCH_MAX),
    concurrency: Math.min(sqs.maximumConcurrency ?? LOCAL_CONCURRENCY_MAX, LOCAL_CONCURRENCY_MAX),
    partialFailures: sqs.functionResponseType === 'ReportBatchItemFailures',
  };
}

/** Every enabled queue and schedule of every function. @throws Error naming the function that it cannot run. */
export function triggersOf(service: ServiceDefinition): Triggers {
  const queues: QueueTrigger[] = [];
  const schedules: ScheduleTrigger[] = [];
  for (const [functionKey, { events }] of Object.entries(service.functions)) {
    for (const { sqs, schedule } of events) {
      if (sqs !== undefined && sqs.enabled !== false) queues.push(queueTrigger(functionKey, sqs));
      if (schedule === undefined) continue;
      if (typeof schedule === 'object' && schedule.enabled === false) continue;
      const rates = typeof schedule === 'string' ? [schedule] : schedule.rate;
      for (const rate of rates) schedules.push({ functionKey, periodMs: ratePeriodMs(rate) });
    }
  }
  return { queues, schedules };
}

/** The resources of one type, by logical id. */
export function resourcesOf(service: ServiceDefinition, type: string): [string, TemplateResource][] {
  return Object.entries(service.resources?.Resources ?? {}).filter(([, resource]) => resource.Type === type);
}
