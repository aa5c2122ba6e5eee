/**
 * The emulators of one site in one process: DynamoDB and SQS, or Cosmos DB and Service Bus.
 * Its argument is a `EmulatorsSettings` as JSON. The supervisor of `npm start` runs it.
 */
import { flushCompileCache } from 'node:module';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { endAtStart } from '../exit-codes.ts';
import { announce } from '../run-registry.ts';

/** What the process is started with. */
export interface EmulatorsSettings {
  /** Announced when everything listens: `aws-us-east-1.emulators`. */
  readonly name: string;
  readonly cloud: 'aws' | 'azure';
  readonly region: string;
  /** Absent: memory only. */
  readonly dataDir?: string | undefined;
  /** Whose secrets are in the vault; absolute. Absent: the vault is empty. */
  readonly secretsFile?: string;
  /** TCP port by service: `dynamodb`, `sqs`, `secrets-manager`; `cosmos`, `service-bus`, `service-bus-control`, `key-vault`. */
  readonly ports: Readonly<Record<string, number>>;
}

/** What listens, and its addresses by purpose. */
interface Running {
  readonly emulators: Pick<Emulators<never>, 'close'>;
  readonly urls: Readonly<Record<string, string>>;
}

/** As in the definition (`TANDEM_SECRETS_PREFIX`), whose parameter nobody changes here. */
const SECRETS_PREFIX = 'tandem';

async function startAws({ region, dataDir, ports, secretsFile }: EmulatorsSettings): Promise<Running> {
  const emulators = await startEmulators({
    services: ['dynamodb', 'sqs', 'secretsmanager'],
    region,
    dataDir,
    ports: {
      dynamodb: ports['dynamodb'] ?? 0,
      sqs: ports['sqs'] ?? 0,
      secretsmanager: ports['secrets-manager'] ?? 0,
    },
    secretsmanager: { prefix: SECRETS_PREFIX, ...(secretsFile !== undefined && { secretsFile }) },
  });
  const { dynamodb, sqs, secretsmanager } = emulators;
  const urls = {
    dynamodb: dynamodb.endpoint,
    'dynamodb.faults': dynamodb.faultsUrl,
    sqs: sqs.endpoint,
    'sqs.faults': sqs.faultsUrl,
    secretsManager: secretsmanager.endpoint,
    'secretsManager.faults': secretsmanager.faultsUrl,
  };
  return { emulators, urls };
}

async function startAzure({ dataDir, ports, secretsFile }: EmulatorsSettings): Promise<Running> {
  const emulators = await startEmulators({
    services: ['cosmos', 'servicebus', 'keyvault'],
    dataDir,
    ports: {
      cosmos: ports['cosmos'] ?? 0,
      servicebus: ports['service-bus'] ?? 0,
      'servicebus-control': ports['service-bus-control'] ?? 0,
      keyvault: ports['key-vault'] ?? 0,
    },
    keyvault: { ...(secretsFile !== undefined && { secretsFile }) },
    servicebus: { creditsPerSecond: creditsIn(process.env['TANDEM_SERVICE_BUS_CREDITS']) },
  });
  const { cosmos, servicebus, keyvault } = emulators;
  const urls = {
    cosmos: cosmos.endpoint,
    'cosmos.faults': cosmos.faultsUrl,
    serviceBus: servicebus.connectionString,
    serviceBusControl: servicebus.controlUrl,
    'serviceBus.faults': servicebus.faultsUrl,
    keyVault: keyvault.vaultUrl,
    'keyVault.faults': keyvault.faultsUrl,
  };
  return { emulators, urls };
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
  const { emulators, urls } = await (settings.cloud === 'aws' ? startAws(settings) : startAzure(settings));
  const stop = (): void => {
    void emulators.close().finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce(settings.name, urls);
  flushCompileCache();
}

main().catch(endAtStart);
