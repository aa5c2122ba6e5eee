/**
 * The emulators of one site in one process: DynamoDB, SQS and S3, or Cosmos DB, Service Bus and Blob Storage, each with the
 * vault of its cloud.
 * Its argument is a `EmulatorsSettings` as JSON. The supervisor of `npm start` runs it.
 */
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { FAULTS_PATH } from '@tandem-clouds/emulators/core/control';
import { endAtStart } from '../exit-codes.ts';
import { HOST } from '../ports.ts';
import { announce } from '../run-registry.ts';
import { BACKUP, type EmulatorsSettings, OBJECTS } from './emulators-settings.ts';
import { type LazyServer, listenLazily } from './lazy-server.ts';

/** What listens, and its addresses by purpose. */
interface Running {
  readonly emulators: Pick<Emulators<never>, 'close'>;
  readonly objects: LazyServer;
  readonly urls: Readonly<Record<string, string>>;
}

/** As in the definition (`TANDEM_SECRETS_PREFIX`), whose parameter nobody changes here. */
const SECRETS_PREFIX = 'tandem';

async function startAws({
  region,
  dataDir,
  ports,
  secretsFile,
  secrets,
}: EmulatorsSettings): Promise<Running> {
  const emulators = await startEmulators({
    services: ['dynamodb', 'sqs', 'secretsmanager'],
    region,
    dataDir,
    ports: {
      dynamodb: ports['dynamodb'] ?? 0,
      sqs: ports['sqs'] ?? 0,
      secretsmanager: ports['secrets-manager'] ?? 0,
    },
    secretsmanager: {
      prefix: SECRETS_PREFIX,
      ...(secretsFile !== undefined && { secretsFile }),
      ...(secrets !== undefined && { secrets }),
    },
  });
  const { dynamodb, sqs, secretsmanager } = emulators;
  const objects = await listenLazily(ports['s3'] ?? 0, async () => {
    const { startS3 } = await import('@tandem-clouds/emulators/s3/server');
    return startS3({
      region,
      buckets: [OBJECTS.bucket, BACKUP.bucket],
      sqsEndpoint: sqs.endpoint,
      removalsTo: OBJECTS.queue,
      ...(dataDir !== undefined && { dataDir: path.join(dataDir, 's3') }),
    });
  });
  const s3 = `http://${HOST}:${objects.port}`;
  const urls = {
    dynamodb: dynamodb.endpoint,
    'dynamodb.faults': dynamodb.faultsUrl,
    sqs: sqs.endpoint,
    'sqs.faults': sqs.faultsUrl,
    secretsManager: secretsmanager.endpoint,
    'secretsManager.faults': secretsmanager.faultsUrl,
    s3,
    's3.faults': s3 + FAULTS_PATH,
  };
  return { emulators, objects, urls };
}

async function startAzure({ dataDir, ports, secretsFile, secrets }: EmulatorsSettings): Promise<Running> {
  const emulators = await startEmulators({
    services: ['cosmos', 'servicebus', 'keyvault'],
    dataDir,
    ports: {
      cosmos: ports['cosmos'] ?? 0,
      servicebus: ports['service-bus'] ?? 0,
      'servicebus-control': ports['service-bus-control'] ?? 0,
      keyvault: ports['key-vault'] ?? 0,
    },
    keyvault: {
      ...(secretsFile !== undefined && { secretsFile }),
      ...(secrets !== undefined && { secrets }),
    },
    servicebus: { creditsPerSecond: creditsIn(process.env['TANDEM_SERVICE_BUS_CREDITS']) },
  });
  const { cosmos, servicebus, keyvault } = emulators;
  const objects = await listenLazily(ports['blob'] ?? 0, async () => {
    const { startBlob } = await import('@tandem-clouds/emulators/blob/server');
    return startBlob({
      account: OBJECTS.account,
      containers: [OBJECTS.container, BACKUP.container],
      versioning: true,
      events: { connectionString: servicebus.connectionString, queue: OBJECTS.queue },
      ...(dataDir !== undefined && { dataDir: path.join(dataDir, 'blob') }),
    });
  });
  const blob = `http://${HOST}:${objects.port}`;
  const urls = {
    cosmos: cosmos.endpoint,
    'cosmos.faults': cosmos.faultsUrl,
    serviceBus: servicebus.connectionString,
    serviceBusControl: servicebus.controlUrl,
    'serviceBus.faults': servicebus.faultsUrl,
    keyVault: keyvault.vaultUrl,
    'keyVault.faults': keyvault.faultsUrl,
    blob: `${blob}/${OBJECTS.account}`,
    'blob.faults': blob + FAULTS_PATH,
  };
  return { emulators, objects, urls };
}

/** Absent: what the tier has. `Infinity` for a measurement of the code rather than of the budget. */
function creditsIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const credits = Number(text);
  if (!(credits > 0)) throw new RangeError(`TANDEM_SERVICE_BUS_CREDITS is a number above 0, not '${text}'`);
  return credits;
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as EmulatorsSettings;
  const { emulators, objects, urls } = await (settings.cloud === 'aws'
    ? startAws(settings)
    : startAzure(settings));
  const stop = (): void => {
    void Promise.allSettled([emulators.close(), objects.close()]).finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce(settings.name, urls);
  flushCompileCache();
}

main().catch(endAtStart);
