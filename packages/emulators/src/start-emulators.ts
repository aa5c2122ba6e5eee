/**
 * Emulators in this process, for anybody's tests: the vendors' own SDKs talk to them by HTTP and AMQP on 127.0.0.1.
 *
 * Invariant: either all services listen when the promise resolves, or none does when it rejects; after `close` nothing
 * does, and what was kept in a folder is ready for the next start.
 */
import { checkOptions, type EmulatorsOptions, type ServiceName } from './options.ts';
import { type EmulatorOf, SERVICES, type Started } from './services.ts';

export { EmulatorOptionsError } from './options.ts';
export type { EmulatorsOptions, PortName, ServiceName } from './options.ts';
export type {
  AwsClientConfig,
  AwsEmulator,
  BlobStorageEmulator,
  CommunicationServicesEmulator,
  Controlled,
  CosmosEmulator,
  KeyVaultEmulator,
  MailEmulator,
  OidcEmulator,
  PayPalEmulator,
  S3Service,
  ServiceBusEmulator,
  SnsService,
  StripeEmulator,
} from './services.ts';
export type { FaultKind, FaultRule, Faults } from './core/faults.ts';
export type { QueueCounts } from './service-bus/queue-types.ts';
export type { QueueOptions } from './service-bus/queue-options.ts';

/** The services that were asked for, by name, and what belongs to all of them. */
export type Emulators<S extends ServiceName = ServiceName> = { readonly [K in S]: EmulatorOf[K] } & {
  /**
   * Variables for another process: the AWS SDKs read theirs by themselves (`AWS_ENDPOINT_URL_SQS`, `AWS_REGION`, …); the
   * others are COSMOS_ENDPOINT, COSMOS_KEY, SERVICEBUS_CONNECTION_STRING, KEY_VAULT_URL, AZURE_STORAGE_CONNECTION_STRING,
   * OIDC_ISSUER, STRIPE_ENDPOINT, STRIPE_API_KEY, PAYPAL_ENDPOINT, PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET, SMTP_URL, SMTP_USER,
   * SMTP_PASSWORD and COMMUNICATION_SERVICES_ENDPOINT.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Stops listening and drops every connection. More than once does no harm. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/**
 * Starts the named services; with no other option on free ports and in memory.
 * @throws EmulatorOptionsError naming every option that is wrong; Error naming the service that cannot start and why;
 * AggregateError when several cannot.
 * @example
 * await using emulators = await startEmulators({ services: ['dynamodb', 'servicebus'] });
 * const dynamodb = new DynamoDBClient(emulators.dynamodb.config);
 * emulators.servicebus.createQueue('orders');
 * const serviceBus = new ServiceBusClient(emulators.servicebus.connectionString);
 */
export async function startEmulators<const S extends ServiceName>(
  options: EmulatorsOptions<S>,
): Promise<Emulators<S>> {
  checkOptions(options);
  const results = await Promise.allSettled(options.services.map((name) => start(name, options)));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as Error] : [],
  );
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeAll(started.map(([, service]) => service)));
  const [failure] = failures;
  if (failure !== undefined) {
    await close();
    if (failures.length === 1) throw failure;
    throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
  }
  notifyQueues(options, Object.fromEntries(started.map(([name, { emulator }]) => [name, emulator])));
  // The table has an emulator of the right type for each name; TypeScript does not follow entries.
  return {
    ...Object.fromEntries(started.map(([name, { emulator }]) => [name, emulator])),
    env: Object.assign({}, ...started.map(([, { env }]) => env)) as Record<string, string>,
    close,
    [Symbol.asyncDispose]: close,
  } as Emulators<S>;
}

/** Buckets tell the queues of the same call, unless another SQS was named. */
function notifyQueues({ s3 }: EmulatorsOptions, { s3: objects, sqs }: Partial<EmulatorOf>): void {
  if (objects !== undefined && sqs !== undefined && s3?.sqsEndpoint === undefined)
    objects.deliverTo(sqs.endpoint);
}

async function start<S extends ServiceName>(
  name: S,
  options: EmulatorsOptions,
): Promise<readonly [S, Started<EmulatorOf[S]>]> {
  try {
    return [name, await SERVICES[name](options)];
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** All of them, also when one fails. */
async function closeAll(services: readonly Started[]): Promise<void> {
  const results = await Promise.allSettled(services.map((service) => service.close()));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
}
