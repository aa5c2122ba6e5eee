/** Serves emulators until a signal, and prints how each SDK reaches them. */
import { once } from 'node:events';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import type { EmulatorsOptions, ServiceName } from './options.ts';
import { type Emulators, startEmulators } from './start-emulators.ts';

/** Returns the exit status: 0 after a signal. @throws CommandError when a service cannot start. */
export async function serve(
  options: EmulatorsOptions,
  asJson: boolean,
  { out, signal }: CommandContext,
): Promise<number> {
  const emulators = await startEmulators(options).catch((error: unknown) => {
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
  });
  try {
    out(
      asJson
        ? `${JSON.stringify(inData(emulators, options.services))}\n`
        : inWords(emulators, options.services),
    );
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await emulators.close();
  }
  return 0;
}

/** What can be said in JSON: no functions, and faults by their address. */
function inData(emulators: Emulators, services: readonly ServiceName[]): Record<string, unknown> {
  const { env } = emulators;
  return {
    services: Object.fromEntries(
      services.map((name) => [
        name,
        { ...emulators[name], faults: undefined, mailbox: undefined, box: undefined, optOuts: undefined },
      ]),
    ),
    env,
  };
}

function inWords(emulators: Emulators, services: readonly ServiceName[]): string {
  const parts = services.map((name) => PARTS[name](emulators));
  const variables = Object.entries(emulators.env).map(([name, value]) => `export ${name}='${value}'`);
  const faults = services.flatMap((name) => {
    const emulator = emulators[name];
    return 'faultsUrl' in emulator ? [emulator.faultsUrl] : [];
  });
  const [first] = faults;
  return [
    ...parts,
    `For other processes. The AWS SDKs read theirs by themselves; the other names are only a convention.\n\n${variables.join('\n')}\n`,
    ...(first === undefined
      ? []
      : [
          `Make the next call fail (every service has such an address; --json names them):\n\n` +
            `curl -X PUT ${first} -d '[{"kind":"error","times":1}]'\n`,
        ]),
    'Ctrl-C stops everything.\n',
  ].join('\n');
}

const literal = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll('"', "'")
    .replaceAll(',', ', ')
    .replaceAll('{', '{ ')
    .replaceAll('}', ' }');

const PARTS: Readonly<Record<ServiceName, (emulators: Emulators) => string>> = {
  dynamodb: ({ dynamodb: { endpoint, config } }) =>
    `DynamoDB     ${endpoint}\n  new DynamoDBClient(${literal(config)})\n`,
  sqs: ({ sqs: { endpoint, config } }) => `SQS          ${endpoint}\n  new SQSClient(${literal(config)})\n`,
  s3: ({ s3: { endpoint, config } }) => `S3           ${endpoint}\n  new S3Client(${literal(config)})\n`,
  secretsmanager: ({ secretsmanager: { endpoint, config } }) =>
    `Secrets Mgr  ${endpoint}\n  new SecretsManagerClient(${literal(config)})\n`,
  keyvault: ({ keyvault: { vaultUrl, options } }) =>
    `Key Vault    ${vaultUrl}\n  new SecretClient('${vaultUrl}', credential, ${literal(options)}); any token is taken\n`,
  cosmos: ({ cosmos: { endpoint, config } }) =>
    `Cosmos DB    ${endpoint}\n  new CosmosClient(${literal(config)})\n`,
  servicebus: ({ servicebus: { port, controlUrl, connectionString } }) =>
    `Service Bus  amqp://127.0.0.1:${port}, control interface ${controlUrl}\n` +
    `  new ServiceBusClient('${connectionString}')\n`,
  blob: ({ blob: { url, connectionString } }) =>
    `Blob Storage ${url}\n  BlobServiceClient.fromConnectionString('${connectionString}')\n`,
  oidc: ({ oidc: { issuer } }) =>
    `Issuer       ${issuer}\n  curl -d grant_type=client_credentials ${issuer}/oauth2/token\n`,
  stripe: ({ stripe: { endpoint, apiKey, config } }) =>
    `Stripe       ${endpoint}\n  new Stripe('${apiKey}', ${literal(config)})\n`,
  paypal: ({ paypal: { endpoint, clientId, clientSecret } }) =>
    `PayPal       ${endpoint}\n  curl -u ${clientId}:${clientSecret} -d grant_type=client_credentials ${endpoint}/v1/oauth2/token\n`,
  smtp: ({ smtp: { endpoint, web, config } }) =>
    `Mail         ${endpoint}, mailbox ${web}\n  createTransport(${literal(config)})\n`,
  sns: ({ sns: { endpoint, config } }) =>
    `SNS (SMS)    ${endpoint}, what was sent ${endpoint}/_tandem/sms\n  new SNSClient(${literal(config)})\n`,
  communicationservices: ({ communicationservices: { port } }) =>
    `Comm. Svcs.  http://127.0.0.1:${port}, what was sent http://127.0.0.1:${port}/_tandem/sms\n` +
    `  new SmsClient('https://127.0.0.1:${port}', credential, options), with a policy that takes TLS away (README)\n`,
};
