/**
 * How each service is started by itself, and what a client of it needs. The one place that knows all of them: the servers
 * of `npm start`, `startEmulators` and the command `tandem-emulators` come from this table.
 *
 * A service loads when it is started, so whoever needs a queue does not wait for a database.
 */
import path from 'node:path';
import type { PlainPolicy } from './communication-services/plain-http.ts';
import { FAULTS_PATH } from './core/control.ts';
import type { Faults } from './core/faults.ts';
import type { EmulatorsOptions, PortName, ServiceName } from './options.ts';
import type { PayPalServer } from './paypal/server.ts';
import type { QueueOptions } from './service-bus/queue-options.ts';
import type { QueueCounts } from './service-bus/queue-types.ts';
import type { SmtpEmulator } from './smtp/server.ts';
import type { SnsEmulator } from './sns/server.ts';
import type { StripeServer } from './stripe/server.ts';

/** What every emulator with state has: faults from here, or from another process by HTTP. */
export interface Controlled {
  readonly port: number;
  /** What goes wrong: `faults.add({ kind: 'error', operation: 'PutItem', times: 1 })`, `faults.clear()`. */
  readonly faults: Faults;
  /** Where `GET`, `PUT` and `DELETE` do the same from outside, as a person with `curl` would. */
  readonly faultsUrl: string;
}

/** What the constructor of a client of the AWS SDK for JavaScript 3 takes. S3 and SNS check signatures by them; the others accept any. */
export interface AwsClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface AwsEmulator extends Controlled {
  readonly endpoint: string;
  /** `new DynamoDBClient(config)`, `new SQSClient(config)`, `new S3Client(config)`, `new SecretsManagerClient(config)` */
  readonly config: AwsClientConfig;
}

export interface S3Service extends AwsEmulator {
  /** Where the notifications of buckets go from now on: the base address of an SQS. */
  deliverTo(sqsEndpoint: string): void;
}

export interface CosmosEmulator extends Controlled {
  readonly endpoint: string;
  /** `new CosmosClient(config)` */
  readonly config: { readonly endpoint: string; readonly key: string };
}

export interface KeyVaultEmulator extends Controlled {
  /** `new SecretClient(vaultUrl, credential, options)` */
  readonly vaultUrl: string;
  /** Any token is taken. */
  readonly credential: {
    getToken(): Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;
  };
  /** Of an address without TLS that is none of `vault.azure.net`. */
  readonly options: {
    readonly allowInsecureConnection: true;
    readonly disableChallengeResourceVerification: true;
  };
}

export interface ServiceBusEmulator extends Controlled {
  /** `new ServiceBusClient(connectionString)` */
  readonly connectionString: string;
  /** Base address of the HTTP control server. */
  readonly controlUrl: string;
  /** Creates a queue, or gives an existing one these options. @throws TypeError naming the option that is wrong. */
  createQueue(name: string, options?: QueueOptions): void;
  /** How many messages are where. @throws TypeError when there is no such queue. */
  counts(name: string): QueueCounts;
}

export interface BlobStorageEmulator extends Controlled {
  /** Of the account: `http://127.0.0.1:<port>/local`. */
  readonly url: string;
  /** `BlobServiceClient.fromConnectionString(connectionString)` */
  readonly connectionString: string;
  /** `new StorageSharedKeyCredential(account, key)`, for signatures of one's own. */
  readonly account: string;
  readonly key: string;
  /** From now on this queue is sent what happens to blobs. @throws TypeError for an address that is none of this machine. */
  sendEventsTo(queue: { readonly connectionString: string; readonly queue: string }): void;
}

/** An OpenID Connect issuer that gives a token to everybody: `POST <issuer>/oauth2/token`. */
export interface OidcEmulator {
  readonly port: number;
  readonly issuer: string;
}

/** What the customer and the bank do is ordered here; webhooks are sent by the clock, or by `deliver`. */
export interface StripeEmulator
  extends
    Controlled,
    Pick<
      StripeServer,
      'apiKey' | 'authenticate' | 'dispute' | 'closeDispute' | 'failRefund' | 'deliver' | 'pendingWebhooks'
    > {
  readonly endpoint: string;
  /** `new Stripe(apiKey, config)` */
  readonly config: { readonly host: string; readonly port: number; readonly protocol: 'http' };
}

export interface PayPalEmulator
  extends
    Controlled,
    Pick<
      PayPalServer,
      | 'clientId'
      | 'clientSecret'
      | 'token'
      | 'approve'
      | 'dispute'
      | 'closeDispute'
      | 'deliver'
      | 'pendingWebhooks'
    > {
  /** Of the REST API: `https://api-m.paypal.com` elsewhere. */
  readonly endpoint: string;
}

/** What was sent is kept for tests: `mailbox.mails('hedy@example.com')`. */
export interface MailEmulator extends Controlled, Pick<SmtpEmulator, 'mailbox'> {
  /** `smtp://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** The mailbox: `/` for people, `/_tandem/mails` for programs. */
  readonly web: string;
  /** Of nodemailer: `createTransport(config)` */
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly ignoreTLS: true;
    readonly auth: { readonly user: string; readonly pass: string };
  };
}

/** What was sent is kept for tests: `box.all('+15005550006')`, and by HTTP at `/_tandem/sms`. */
type OfSms = Pick<SnsEmulator, 'box' | 'optOuts'>;

/** `new SNSClient(config)` */
export interface SnsService extends AwsEmulator, OfSms {}

export interface CommunicationServicesEmulator extends Controlled, OfSms {
  /** Without TLS, which the SDK does not send a token without: `new SmsClient(endpoint, credential, options)` does. */
  readonly endpoint: string;
  /** Any token is taken, unless an issuer was named. */
  readonly credential: KeyVaultEmulator['credential'];
  /** Takes what the SDK sends by TLS to this machine. */
  readonly options: {
    readonly allowInsecureConnection: true;
    /** The SDK wants an array that it may change. */
    readonly additionalPolicies: { readonly position: 'perRetry'; readonly policy: PlainPolicy }[];
  };
}

export interface EmulatorOf {
  readonly dynamodb: AwsEmulator;
  readonly sqs: AwsEmulator;
  readonly s3: S3Service;
  readonly secretsmanager: AwsEmulator;
  readonly cosmos: CosmosEmulator;
  readonly servicebus: ServiceBusEmulator;
  readonly keyvault: KeyVaultEmulator;
  readonly blob: BlobStorageEmulator;
  readonly oidc: OidcEmulator;
  readonly stripe: StripeEmulator;
  readonly paypal: PayPalEmulator;
  readonly smtp: MailEmulator;
  readonly sns: SnsService;
  readonly communicationservices: CommunicationServicesEmulator;
}

export interface Started<E = EmulatorOf[ServiceName]> {
  readonly emulator: E;
  /** For a process that is started with it: what the vendor's SDK reads by itself, and conventional names for the rest. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Well formed, and of no account. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const DEFAULT_REGION = 'us-east-1';
const TOKEN_MS = 3_600_000;
const anyToken: KeyVaultEmulator['credential']['getToken'] = () =>
  Promise.resolve({ token: 'local', expiresOnTimestamp: Date.now() + TOKEN_MS });

/** Where the data of a service is, below the folder of all. */
const FOLDERS = {
  dynamodb: 'dynamodb',
  sqs: 'sqs',
  s3: 's3',
  cosmos: 'cosmos',
  servicebus: 'service-bus',
  blob: 'blob',
  stripe: 'stripe',
  paypal: 'paypal',
} as const;

/** What starts one service, by the options for all. */
export const SERVICES: {
  readonly [S in ServiceName]: (options: EmulatorsOptions) => Promise<Started<EmulatorOf[S]>>;
} = {
  async dynamodb(options) {
    const { startDynamo } = await import('./dynamodb/server.ts');
    const server = await startDynamo({
      ...common(options, 'dynamodb'),
      ...region(options),
      ...options.dynamodb,
    });
    return startedAws('AWS_ENDPOINT_URL_DYNAMODB', server, options);
  },

  async sqs(options) {
    const { startSqs } = await import('./sqs/server.ts');
    const server = await startSqs({ ...common(options, 'sqs'), ...region(options) });
    return startedAws('AWS_ENDPOINT_URL_SQS', server, options);
  },

  async s3(options) {
    const { startS3 } = await import('./s3/server.ts');
    const server = await startS3({ ...common(options, 's3'), ...region(options), ...options.s3 });
    const started = startedAws('AWS_ENDPOINT_URL_S3', server, options);
    return { ...started, emulator: { ...started.emulator, deliverTo: (to) => server.deliverTo(to) } };
  },

  async secretsmanager(options) {
    const { startSecretsManager } = await import('./secrets-manager/server.ts');
    const server = await startSecretsManager({
      ...inMemory(options, 'secretsmanager'),
      ...region(options),
      ...options.secretsmanager,
    });
    return startedAws('AWS_ENDPOINT_URL_SECRETS_MANAGER', server, options);
  },

  async keyvault(options) {
    const { startKeyVault } = await import('./key-vault/server.ts');
    const server = await startKeyVault({ ...inMemory(options, 'keyvault'), ...options.keyvault });
    const { port, faults } = server;
    const vaultUrl = base(server.endpoint);
    return {
      emulator: {
        port,
        faults,
        faultsUrl: vaultUrl + FAULTS_PATH,
        vaultUrl,
        credential: {
          getToken: anyToken,
        },
        options: { allowInsecureConnection: true, disableChallengeResourceVerification: true },
      },
      env: { KEY_VAULT_URL: vaultUrl },
      close: () => server.close(),
    };
  },

  async cosmos(options) {
    const { startCosmos } = await import('./cosmos/server.ts');
    const server = await startCosmos({ ...common(options, 'cosmos'), ...options.cosmos });
    const { port, faults, key } = server;
    const endpoint = base(server.endpoint);
    return {
      emulator: { port, faults, faultsUrl: endpoint + FAULTS_PATH, endpoint, config: { endpoint, key } },
      env: { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key },
      close: () => server.close(),
    };
  },

  async servicebus(options) {
    const { startServiceBus } = await import('./service-bus/server.ts');
    const server = await startServiceBus({
      ...common(options, 'servicebus'),
      ...options.servicebus,
      controlPort: portOf(options, 'servicebus-control'),
    });
    const { port, faults, endpoint: connectionString } = server;
    const controlUrl = base(server.controlUrl);
    return {
      emulator: {
        port,
        faults,
        faultsUrl: controlUrl + FAULTS_PATH,
        connectionString,
        controlUrl,
        createQueue: (name, queueOptions) => server.createQueue(name, queueOptions),
        counts: (name) => server.counts(name),
      },
      env: { SERVICEBUS_CONNECTION_STRING: connectionString },
      close: () => server.close(),
    };
  },

  async blob(options) {
    const { startBlob } = await import('./blob/server.ts');
    const server = await startBlob({ ...common(options, 'blob'), ...options.blob });
    const { port, faults, endpoint: url, account, key } = server;
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${url};`;
    return {
      emulator: {
        port,
        faults,
        faultsUrl: new URL(FAULTS_PATH, url).href,
        url,
        connectionString,
        account,
        key,
        sendEventsTo: (queue) => server.sendEventsTo(queue),
      },
      env: { AZURE_STORAGE_CONNECTION_STRING: connectionString },
      close: () => server.close(),
    };
  },

  async oidc(options) {
    const { startIssuer } = await import('./oidc/server.ts');
    const server = await startIssuer({ port: portOf(options, 'oidc') });
    const issuer = server.url;
    return {
      emulator: { port: Number(new URL(issuer).port), issuer },
      env: { OIDC_ISSUER: issuer },
      close: () => server.close(),
    };
  },

  async stripe(options) {
    const { startStripe } = await import('./stripe/server.ts');
    const server = await startStripe({ ...common(options, 'stripe'), ...options.stripe });
    const endpoint = base(server.endpoint);
    const config = { host: '127.0.0.1', port: server.port, protocol: 'http' } as const;
    // The server is its own view: what it offers is a part of what it has.
    const emulator = Object.assign(server, { endpoint, faultsUrl: endpoint + FAULTS_PATH, config });
    return {
      emulator,
      env: { STRIPE_ENDPOINT: endpoint, STRIPE_API_KEY: server.apiKey },
      close: () => server.close(),
    };
  },

  async paypal(options) {
    const { startPayPal } = await import('./paypal/server.ts');
    const server = await startPayPal({ ...common(options, 'paypal'), ...options.paypal });
    const endpoint = base(server.endpoint);
    const { clientId, clientSecret } = server;
    return {
      emulator: Object.assign(server, { endpoint, faultsUrl: endpoint + FAULTS_PATH }),
      env: { PAYPAL_ENDPOINT: endpoint, PAYPAL_CLIENT_ID: clientId, PAYPAL_CLIENT_SECRET: clientSecret },
      close: () => server.close(),
    };
  },

  async smtp(options) {
    const { startSmtp } = await import('./smtp/server.ts');
    const server = await startSmtp({
      ...inMemory(options, 'smtp'),
      webPort: portOf(options, 'smtp-web'),
      ...options.smtp,
    });
    const { port, faults, faultsUrl, endpoint, web, mailbox } = server;
    const { user = 'local', password: pass = 'local' } = options.smtp ?? {};
    const config = { host: '127.0.0.1', port, ignoreTLS: true, auth: { user, pass } } as const;
    return {
      emulator: { port, faults, faultsUrl, endpoint, web, mailbox, config },
      env: { SMTP_URL: endpoint, SMTP_USER: user, SMTP_PASSWORD: pass },
      close: () => server.close(),
    };
  },

  async sns(options) {
    const { startSns } = await import('./sns/server.ts');
    const server = await startSns({ ...inMemory(options, 'sns'), ...region(options) });
    const started = startedAws('AWS_ENDPOINT_URL_SNS', server, options);
    const { box, optOuts } = server;
    return { ...started, emulator: { ...started.emulator, box, optOuts } };
  },

  async communicationservices(options) {
    const { startCommunicationServices } = await import('./communication-services/server.ts');
    const { plainHttp } = await import('./communication-services/plain-http.ts');
    const server = await startCommunicationServices({
      ...inMemory(options, 'communicationservices'),
      ...options.communicationservices,
    });
    const { port, faults, box, optOuts } = server;
    const plain = base(server.endpoint);
    return {
      emulator: {
        ...{ port, faults, box, optOuts, faultsUrl: plain + FAULTS_PATH },
        endpoint: plain.replace('http:', 'https:'),
        credential: { getToken: anyToken },
        options: {
          allowInsecureConnection: true,
          additionalPolicies: [{ position: 'perRetry', policy: plainHttp }],
        },
      },
      env: { COMMUNICATION_SERVICES_ENDPOINT: plain },
      close: () => server.close(),
    };
  },
};

interface CommonOptions {
  readonly port: number;
  readonly dataDir?: string;
  readonly now?: () => number;
}

function common(options: EmulatorsOptions, service: keyof typeof FOLDERS): CommonOptions {
  const { dataDir, now } = options;
  return {
    port: portOf(options, service),
    ...(dataDir !== undefined && { dataDir: path.join(dataDir, FOLDERS[service]) }),
    ...(now !== undefined && { now }),
  };
}

/** Of what keeps nothing. */
function inMemory(options: EmulatorsOptions, service: PortName): Omit<CommonOptions, 'dataDir'> {
  const { now } = options;
  return { port: portOf(options, service), ...(now !== undefined && { now }) };
}

function portOf({ ports }: EmulatorsOptions, name: PortName): number {
  return ports?.[name] ?? 0;
}

function region({ region: name = DEFAULT_REGION }: EmulatorsOptions): { readonly region: string } {
  return { region: name };
}

interface AwsServer {
  readonly endpoint: string;
  readonly port: number;
  readonly faults: Faults;
  close(): Promise<void>;
}

/**
 * @param variable What the SDK reads the address of this service from.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
function startedAws(variable: string, server: AwsServer, options: EmulatorsOptions): Started<AwsEmulator> {
  const endpoint = base(server.endpoint);
  const config = { endpoint, ...region(options), credentials: CREDENTIALS };
  const { port, faults } = server;
  return {
    emulator: { port, faults, faultsUrl: endpoint + FAULTS_PATH, endpoint, config },
    env: {
      [variable]: endpoint,
      AWS_REGION: config.region,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    close: () => server.close(),
  };
}

const base = (url: string): string => url.replace(/\/$/, '');
