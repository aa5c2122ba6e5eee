/**
 * What `startEmulators` takes, and the check of it.
 *
 * Invariant: nothing is ignored. Whatever is unknown, of a wrong type or about a service that is not started is named,
 * all of it in one error, before anything listens.
 */
import { own } from '@tandem-clouds/command-line/own';
import { suggestion } from '@tandem-clouds/command-line/suggest';
import { isLoopback } from './core/this-machine.ts';
import { checkQueueName, parseQueueOptions, type QueueOptions } from './service-bus/queue-options.ts';
import { isTier, type Tier, TIERS } from './service-bus/tiers.ts';

export const SERVICE_NAMES = [
  'dynamodb',
  'sqs',
  's3',
  'secretsmanager',
  'cosmos',
  'servicebus',
  'keyvault',
  'blob',
  'oidc',
  'stripe',
  'paypal',
  'smtp',
  'sns',
  'communicationservices',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Service Bus and the mail server listen twice: for their own protocol, and for HTTP: faults, counts, the mailbox. */
export const PORT_NAMES = [...SERVICE_NAMES, 'servicebus-control', 'smtp-web'] as const;
export type PortName = (typeof PORT_NAMES)[number];

export interface EmulatorsOptions<S extends ServiceName = ServiceName> {
  /** At least one, each once. */
  readonly services: readonly S[];
  /** TCP ports on 127.0.0.1, of services that are started. 0 or absent picks a free one. */
  readonly ports?: Readonly<Partial<Record<PortName, number>>>;
  /** The folder that data persists in, a subfolder for each service; absent: memory only. Vaults and the issuer keep nothing. */
  readonly dataDir?: string | undefined;
  /** Of AWS: in ARNs, and in what the SDKs are configured with. Default `us-east-1`. */
  readonly region?: string;
  /** Epoch milliseconds, for tests of visibility, locks and expiry. Default `Date.now`. */
  readonly now?: () => number;
  readonly dynamodb?: {
    /** Beyond so many read units a second, reads are refused as the service would. Default: no limit. */
    readonly readUnitsPerSecond?: number;
    /** Beyond so many write units a second of a table or an index, writes are. Default: no limit. */
    readonly writeUnitsPerSecond?: number;
  };
  readonly s3?: {
    /** Base address of SQS, for notifications. Default: that of `sqs`, when it is started as well. */
    readonly sqsEndpoint?: string;
    /** Buckets that exist from the start, with versions. */
    readonly buckets?: readonly string[];
  };
  readonly secretsmanager?: {
    /** A `.env` file: `SECRET_STRIPE_KEY=…` in it is the secret `stripe-key`. Read again when it changes. Absolute. */
    readonly secretsFile?: string;
    /** Stands before the names of those: with `shop`, the secret is `shop/stripe-key`. */
    readonly prefix?: string;
    /** Secrets that are there from the start, by name; a line of the file wins. */
    readonly secrets?: Readonly<Record<string, string>>;
  };
  readonly cosmos?: {
    /** Beyond so many request units a second, requests get 429. Default: no limit. */
    readonly requestUnitsPerSecond?: number;
  };
  readonly servicebus?: {
    /** Queues that exist from the start: `{ orders: { maxDeliveryCount: 3 } }`. The administration client is not served. */
    readonly queues?: Readonly<Record<string, QueueOptions>>;
    /** Default Standard. */
    readonly tier?: Tier;
    /** Default 1,000, as in Basic and Standard. Infinity: no limit. */
    readonly creditsPerSecond?: number | undefined;
  };
  readonly keyvault?: {
    /** As of `secretsmanager`. */
    readonly secretsFile?: string;
    readonly secrets?: Readonly<Record<string, string>>;
  };
  readonly blob?: {
    /** Name of the storage account: 3 to 24 lower-case letters and digits. Default `local`. */
    readonly account?: string;
    /** Whether each write keeps the state before it. Default false, as of a new account. */
    readonly versioning?: boolean;
    /** Whether versions may be protected from deletion, by policies and holds; needs `versioning`. Default false. */
    readonly versionImmutability?: boolean;
    /** Base address of the OpenID Connect issuer whose tokens are taken; default: any token is. */
    readonly issuer?: string;
    /** The queue of a Service Bus emulator that is sent what happens to blobs, as Event Grid sends it. */
    readonly events?: { readonly connectionString: string; readonly queue: string };
    /** Containers that exist from the start. */
    readonly containers?: readonly string[];
  };
  readonly stripe?: {
    /** The secret key of the account. Default `sk_test_local`. */
    readonly apiKey?: string;
    /** How old what search finds is. Default a minute. */
    readonly searchLagMs?: number;
    /** Addresses on this machine that get all events from the start, signed with a secret (`whsec_…`) that is known. */
    readonly webhooks?: readonly { readonly url: string; readonly secret: string }[];
  };
  readonly paypal?: {
    /** Of the application. Default `local`, both. */
    readonly clientId?: string;
    readonly clientSecret?: string;
    /** How long `PayPal-Request-Id` of an order is remembered. Default 6 hours; the service gives up to 72 to who asks. */
    readonly orderKeysKeptMs?: number;
    /** How far the search for transactions is behind. Default 3 hours. */
    readonly reportLagMs?: number;
    /** Whether the account pays an invoice id once. Default true. */
    readonly uniqueInvoices?: boolean;
    /** Addresses on this machine that get all events from the start, by an id that is known. */
    readonly webhooks?: readonly { readonly url: string; readonly id: string }[];
  };
  readonly smtp?: {
    /** Who may send. Default `local`, both. */
    readonly user?: string;
    readonly password?: string;
    /** An address on this machine where mails that come back are reported. */
    readonly bouncesTo?: string;
  };
  readonly communicationservices?: {
    /** Base address of the OpenID Connect issuer whose tokens are taken; default: any token is. */
    readonly issuer?: string;
    /** An address on this machine where SMS that do not arrive are reported. */
    readonly reportsTo?: string;
  };
}

/** The options are wrong; the message names every field that is, and what it should be. */
export class EmulatorOptionsError extends TypeError {
  override readonly name = 'EmulatorOptionsError';
}

/** What is wrong with a value, each mistake with the path of its field. */
type Check = (value: unknown, path: string) => readonly string[];
type Checks = Readonly<Record<string, Check>>;

const PORT_MAX = 65_535;

const positive = needs('a number above 0', (value) => typeof value === 'number' && value > 0);
const notNegative = needs('a number of at least 0', (value) => typeof value === 'number' && value >= 0);
const port = needs(
  `a whole number from 0 to ${PORT_MAX}`,
  (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= PORT_MAX,
);
const text = needs('a text that is not empty', (value) => typeof value === 'string' && value !== '');

const names = needs(
  'a list of names',
  (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== ''),
);
const url = needs('a URL', (value) => typeof value === 'string' && URL.canParse(value));
const onThisMachine = needs(
  'an address on this machine',
  (value) => typeof value === 'string' && isLoopback(value),
);
const flag = needs('true or false', (value) => typeof value === 'boolean');

const texts = needs(
  'texts by name',
  (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'string' && one !== ''),
);

const FIELDS: Checks = {
  services: checkServices,
  ports: fieldsOf(Object.fromEntries(PORT_NAMES.map((name) => [name, port]))),
  dataDir: text,
  region: text,
  now: needs('a function', (value) => typeof value === 'function'),
  dynamodb: fieldsOf({ readUnitsPerSecond: positive, writeUnitsPerSecond: positive }),
  s3: fieldsOf({ sqsEndpoint: text, buckets: names }),
  secretsmanager: fieldsOf({ secretsFile: text, prefix: text, secrets: texts }),
  cosmos: fieldsOf({ requestUnitsPerSecond: positive }),
  servicebus: fieldsOf({
    queues: checkQueues,
    tier: needs(`one of ${TIERS.join(', ')}`, isTier),
    creditsPerSecond: positive,
  }),
  keyvault: fieldsOf({ secretsFile: text, secrets: texts }),
  blob: fieldsOf({
    account: needs(
      'a name of 3 to 24 lower-case letters and digits',
      (value) => typeof value === 'string' && /^[a-z0-9]{3,24}$/.test(value),
    ),
    versioning: flag,
    versionImmutability: flag,
    issuer: url,
    events: fieldsOf({ connectionString: text, queue: text }),
    containers: names,
  }),
  stripe: fieldsOf({ apiKey: text, searchLagMs: notNegative, webhooks: webhooksWith('secret') }),
  paypal: fieldsOf({
    clientId: text,
    clientSecret: text,
    orderKeysKeptMs: positive,
    reportLagMs: notNegative,
    uniqueInvoices: flag,
    webhooks: webhooksWith('id'),
  }),
  smtp: fieldsOf({ user: text, password: text, bouncesTo: onThisMachine }),
  communicationservices: fieldsOf({ issuer: url, reportsTo: onThisMachine }),
};

/** @throws EmulatorOptionsError */
export function checkOptions(options: unknown): void {
  const mistakes = isObject(options)
    ? [
        ...('services' in options ? [] : checkServices(undefined, 'services')),
        ...fieldsOf(FIELDS)(options, ''),
        ...needless(options),
      ]
    : [`options: an object such as { services: ['sqs'] } is needed, not ${shown(options)}`];
  if (mistakes.length > 0) throw new EmulatorOptionsError(mistakes.join('; '));
}

/** Addresses on this machine, each with what it is known by. */
function webhooksWith(known: 'id' | 'secret'): Check {
  return needs(
    `a list of { url: 'http://127.0.0.1:…', ${known}: '…' }`,
    (value) =>
      Array.isArray(value) &&
      value.every(
        (one) =>
          isObject(one) &&
          typeof one['url'] === 'string' &&
          isLoopback(one['url']) &&
          typeof one[known] === 'string' &&
          one[known] !== '',
      ),
  );
}

function needs(what: string, fits: (value: unknown) => boolean): Check {
  return (value, path) => (fits(value) ? [] : [`${path}: ${what} is needed, not ${shown(value)}`]);
}

/** An object of optional fields. @param checks What it may have. */
function fieldsOf(checks: Checks): Check {
  return (value, path) => {
    if (!isObject(value)) return [`${path}: an object is needed, not ${shown(value)}`];
    return Object.entries(value).flatMap(([field, given]) => {
      const at = path === '' ? field : `${path}.${field}`;
      const check = own(checks, field);
      if (check === undefined) return [`${at}: unknown field${suggestion(field, Object.keys(checks))}`];
      return given === undefined && field !== 'services' ? [] : check(given, at);
    });
  };
}

function checkServices(value: unknown, path: string): string[] {
  const known = SERVICE_NAMES.join(', ');
  if (!Array.isArray(value) || value.length === 0)
    return [`${path}: a list of at least one of ${known} is needed, not ${shown(value)}`];
  const names = value as readonly unknown[];
  const unknown = names.filter((name) => !isService(name));
  const repeated = new Set(names).size < names.length ? [`${path}: each service is named once`] : [];
  return [
    ...unknown.map((name) => `${path}: ${shown(name)} is not one of ${known}${nearTo(name)}`),
    ...repeated,
  ];
}

function nearTo(name: unknown): string {
  return typeof name === 'string' ? suggestion(name, SERVICE_NAMES) : '';
}

function isService(value: unknown): value is ServiceName {
  return SERVICE_NAMES.some((name) => name === value);
}

function checkQueues(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path}: queues by name are needed, not ${shown(value)}`];
  return Object.entries(value).flatMap(([name, options]) => {
    try {
      checkQueueName(name);
      parseQueueOptions(options, `${path}.${name}`);
      return [];
    } catch (error) {
      const { message } = error as Error;
      return [message.startsWith(path) ? message : `${path}: ${message}`];
    }
  });
}

/** Settings of a service that is not started are a mistake that would otherwise never show. */
function needless({ services, ports, ...settings }: Record<string, unknown>): string[] {
  if (!Array.isArray(services)) return [];
  const isNeedless = (service: string): boolean => isService(service) && !services.includes(service);
  const portNames = Object.keys(isObject(ports) ? ports : {});
  return [
    ...Object.keys(settings).filter(isNeedless),
    ...portNames
      .filter((name) => isNeedless(name.replace(/-(control|web)$/, '')))
      .map((name) => `ports.${name}`),
  ].map((field) => `${field}: services does not name it`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
