/**
 * The emulators of one site in one process: DynamoDB and SQS, or Cosmos DB and Service Bus.
 * Its argument is a `StandInsSettings` as JSON. The supervisor of `npm start` runs it.
 */
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { FAULTS_PATH } from '@tandem-clouds/emulators/core/control';
import { announce } from '../run-registry.ts';
import { endAtStart } from '../exit-codes.ts';
import type { Emulator } from '@tandem-clouds/emulators/core/emulator';

/** What the process is told. */
export interface EmulatorsSettings {
  /** Announced when everything listens: `aws-us-east-1.emulators`. */
  readonly name: string;
  readonly cloud: 'aws' | 'azure';
  readonly region: string;
  /** Absent: memory only. */
  readonly dataDir?: string | undefined;
  /** TCP port by service: `dynamodb`, `sqs`; `cosmos`, `service-bus`, `service-bus-control`. */
  readonly ports: Readonly<Record<string, number>>;
}

/** What listens, and its addresses by purpose. */
interface Running {
  readonly emulator: Emulator;
  readonly urls: Readonly<Record<string, string>>;
}

const base = (url: string): string => url.replace(/\/$/, '');

function optionsOf(settings: EmulatorsSettings, service: string): { port: number; dataDir?: string } {
  const port = settings.ports[service] ?? 0;
  return settings.dataDir === undefined ? { port } : { port, dataDir: path.join(settings.dataDir, service) };
}

async function startDynamoDb(settings: EmulatorsSettings): Promise<Running> {
  const { startDynamo } = await import('@tandem-clouds/emulators/dynamodb/server');
  const emulator = await startDynamo(optionsOf(settings, 'dynamodb'));
  const url = base(emulator.endpoint);
  return { emulator, urls: { dynamodb: url, 'dynamodb.faults': url + FAULTS_PATH } };
}

async function startQueues(settings: EmulatorsSettings): Promise<Running> {
  const { startSqs } = await import('@tandem-clouds/emulators/sqs/server');
  const emulator = await startSqs({ ...optionsOf(settings, 'sqs'), region: settings.region });
  const url = base(emulator.endpoint);
  return { emulator, urls: { sqs: url, 'sqs.faults': url + FAULTS_PATH } };
}

async function startCosmosDb(settings: EmulatorsSettings): Promise<Running> {
  const { startCosmos } = await import('@tandem-clouds/emulators/cosmos/server');
  const emulator = await startCosmos(optionsOf(settings, 'cosmos'));
  const url = base(emulator.endpoint);
  return { emulator, urls: { cosmos: url, 'cosmos.faults': url + FAULTS_PATH } };
}

/** Absent: what the tier has. `Infinity` for a measurement of the code rather than of the budget. */
function creditsIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const credits = Number(text);
  if (!(credits > 0)) throw new RangeError(`TANDEM_SERVICE_BUS_CREDITS is a number above 0, not '${text}'`);
  return credits;
}

async function startBroker(settings: EmulatorsSettings): Promise<Running> {
  const { startServiceBus } = await import('@tandem-clouds/emulators/service-bus/server');
  const emulator = await startServiceBus({
    ...optionsOf(settings, 'service-bus'),
    controlPort: settings.ports['service-bus-control'] ?? 0,
    creditsPerSecond: creditsIn(process.env['TANDEM_SERVICE_BUS_CREDITS']),
  });
  const control = base(emulator.controlUrl);
  return {
    emulator,
    urls: {
      serviceBus: emulator.endpoint,
      serviceBusControl: control,
      'serviceBus.faults': control + FAULTS_PATH,
    },
  };
}

/** Starts all services of the cloud; when one fails, those that did start are closed again. */
async function startAll(settings: EmulatorsSettings): Promise<Running[]> {
  const starts = settings.cloud === 'aws' ? [startDynamoDb, startQueues] : [startCosmosDb, startBroker];
  const results = await Promise.allSettled(starts.map((start) => start(settings)));
  const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (failures.length > 0) {
    await closeAll(running);
    throw new AggregateError(failures);
  }
  return running;
}

async function closeAll(running: readonly Running[]): Promise<void> {
  await Promise.all(running.map(({ emulator }) => emulator.close()));
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as EmulatorsSettings;
  const running = await startAll(settings);
  const stop = (): void => {
    void closeAll(running).finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce(settings.name, Object.assign({}, ...running.map(({ urls }) => urls)) as Record<string, string>);
  flushCompileCache();
}

main().catch(endAtStart);
