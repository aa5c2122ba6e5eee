/**
 * The only place that reads `process.env`: checked against a schema at cold start, every mistake reported at once,
 * the result frozen. Endpoints of emulators, emulators or real services are set here and nowhere else
 * (the AWS SDK reads `AWS_ENDPOINT_URL_*` by itself).
 */
import { ARCHIVE } from '@tandem-clouds/replication/archive';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { storeTimeoutMs } from '../bounds.ts';
import { type Failure, InvalidError } from '../errors.ts';
import { config as configCheck } from '../generated/validators.js';
import { validate } from '../validation/validate.ts';
import { type OwnSettings, readOwn } from './own-setting.ts';
import { type OwnConfig, ownSettings } from './own-settings.ts';

/** How one site reaches another. */
export type PeerConfig =
  | {
      readonly site: SiteId;
      readonly cloud: 'aws';
      readonly region: string;
      /** Base URL of the site's API. */
      readonly url: string;
      /** URL of its inbound SQS queue. */
      readonly inbox: string;
      /** URL of the SQS queue of its comparisons. */
      readonly verify: string;
      readonly endpoint?: string;
      /** For a site on Azure: the role that it assumes to send there. Absent: the AWS keys of the environment. */
      readonly roleArn?: string;
      /** Application ID URI (`api://…`) that the site's token for that role is made out to. */
      readonly audience?: string;
      /** Its bucket of objects, read with the same role or keys. Absent: none of its objects is read from here. */
      readonly objectsBucket?: string;
      /** Of an emulator of S3. */
      readonly objectsEndpoint?: string;
      /** The bucket that this site writes its archive to, with the same role or keys. Absent: none is kept there. */
      readonly backupBucket?: string;
      /** Of an emulator of S3. */
      readonly backupEndpoint?: string;
    }
  | {
      readonly site: SiteId;
      readonly cloud: 'azure';
      readonly region: string;
      readonly url: string;
      /** Name of its inbound Service Bus queue. */
      readonly inbox: string;
      /** Name of the Service Bus queue of its comparisons. */
      readonly verify: string;
      /** Fully qualified namespace, for access with an identity. */
      readonly namespace?: string;
      /** For the local emulator and the emulator, which know no identities, and where identities cannot be federated. */
      readonly connectionString?: string;
      /** For a site on AWS: the tenant, and the identity in it that trusts the site's roles. */
      readonly tenantId?: string;
      readonly clientId?: string;
      /**
       * Its storage account (`https://<account>.blob.core.windows.net`) and container of objects, read as that identity, or as
       * this app's own. Absent: none of its objects is read from here.
       */
      readonly objectsUrl?: string;
      readonly objectsContainer?: string;
      /** In place of `objectsUrl`: of an emulator of Blob Storage, which is read with its key. */
      readonly objectsConnectionString?: string;
      /** The storage account and container that this site writes its archive to, as that identity. Absent: none is kept there. */
      readonly backupUrl?: string;
      readonly backupContainer?: string;
      /** In place of `backupUrl`: of an emulator of Blob Storage. */
      readonly backupConnectionString?: string;
    };

/** Whose JSON Web Tokens are accepted, and which of them. */
export interface JwtIssuer {
  /** `iss`, to the letter. */
  readonly issuer: string;
  /** Where its keys are; absent: `<issuer>/.well-known/jwks.json`. */
  readonly jwksUri?: string;
  /** `aud`. One of `audience` and `clientIds` is there, or both. */
  readonly audience?: string;
  /** `client_id`: what an access token of Cognito has in place of `aud`. */
  readonly clientIds?: readonly string[];
  /** Default: RS256 and ES256. */
  readonly algorithms?: readonly string[];
  /** Claims that must have these values, such as `{ "token_use": "access" }`. */
  readonly claims?: Readonly<Record<string, string>>;
  /** Claim as entities name it → as this issuer does, such as `{ "org": "custom:org" }` or `{ "org": "tid" }`. */
  readonly claimNames?: Readonly<Record<string, string>>;
  /**
   * What begins its subjects, with `|`, so that two issuers' are not confused; empty: nothing. Where it is not said: nothing
   * for the only issuer, its address where there are several.
   */
  readonly subjects?: string;
}

/** A program that presents a key in place of a token. */
export interface ServiceKey {
  /** Of the key, in hexadecimal. */
  readonly sha256: string;
  readonly scopes: readonly string[];
  /** Makes its subject, `service|<name>`, which so outlives the key; absent: the digest does. */
  readonly name?: string;
  /** What it is said to be, as a token would say it: `{ "org": "acme" }`. */
  readonly claims?: Readonly<Record<string, string>>;
}

export interface PaymentsConfig {
  readonly provider: 'stripe' | 'paypal';
  /** Base address of what answers in its place: a sandbox. Absent: the provider's own. */
  readonly url?: string;
  /** Where a customer is sent after another page has asked them (3-D Secure). Absent: Stripe's script does that. */
  readonly returnUrl?: string;
}

export interface MailConfig {
  /** `smtps://host:465`: TLS from the first byte. `smtp://host:587`: STARTTLS, which the server must take; plain on loopback. */
  readonly url: string;
  /** `Shop <orders@example.com>`; what is behind its `@` ends every Message-ID. */
  readonly from: string;
  /** Base address that links in mails begin with: the name that all sites share. */
  readonly linksUrl: string;
}

export interface SmsConfig {
  /** A number (`+4930123456`), or a sender id of letters and digits where the recipients' country takes one. */
  readonly from: string;
  /** Begins each text: who writes. */
  readonly name: string;
}

export interface TracesConfig {
  /** Base address of a collector that takes OTLP over HTTP; `/v1/traces` is put behind it. */
  readonly url: string;
  /** How many of the traces that begin here are sent: from 0 to 1. */
  readonly ratio: number;
  /** What the collector knows us by. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface MetricsConfig {
  /** Base address of a collector that takes OTLP over HTTP; `/v1/metrics` is put behind it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LogsConfig {
  /** Base address of a collector that takes OTLP over HTTP; `/v1/logs` is put behind it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The workspace of Log Analytics that both clouds send to. */
export interface CentralLogsConfig {
  /** Of the data collection endpoint: `https://….ingest.monitor.azure.com`. */
  readonly endpoint: string;
  /** Immutable id of the data collection rule. */
  readonly rule: string;
  /** Of a site on AWS: as whom it is known there. */
  readonly tenantId?: string;
  readonly clientId?: string;
}

/** The shared caches in front of this site that are purged; one of them at least. */
export interface CdnConfig {
  /** Id of the distribution of CloudFront, of a site on AWS. */
  readonly distribution?: string;
  /** Resource id of the endpoint of Front Door, of a site on Azure: `/subscriptions/…/afdEndpoints/…`. */
  readonly endpoint?: string;
  /** Id of the zone at Cloudflare; its token is a secret. */
  readonly zone?: string;
  /** Origins of emulators, in place of Resource Manager and of Cloudflare's interface. */
  readonly endpointUrl?: string;
  readonly zoneUrl?: string;
}

export interface Config {
  readonly site: SiteId;
  readonly region: string;
  readonly peers: readonly PeerConfig[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** SHA-256 of each key that an operator may present, in hexadecimal; several, so that keys can rotate. */
  readonly operatorKeys: readonly string[];
  /** Who may read and write records; when both lists are empty, everybody. */
  readonly jwtIssuers: readonly JwtIssuer[];
  /** Several with the same scopes, so that keys can rotate. */
  readonly serviceKeys: readonly ServiceKey[];
  /** How much one caller may ask of this site; what is not named is not limited. */
  readonly callerLimits: Readonly<
    Partial<
      Record<'requests' | 'writes' | 'waitingReads', { readonly perSecond: number; readonly burst: number }>
    >
  >;
  /** Milliseconds within which one call of the store must be answered. */
  readonly storeTimeoutMs: number;
  /** With no issuer and no key: everybody may act for any owner and tenant. For a laptop. */
  readonly trustsEverybody: boolean;
  /** Sites that are gone for good, whose stamps records still bear. */
  readonly retiredSites: readonly SiteId[];
  /** The site is being filled: it stays out of rotation until it is equal to every peer (`/health/deep`). */
  readonly rebuilding: boolean;
  /** The payment provider; absent: this site takes no payments. Its keys are secrets (docs/payments.md). */
  readonly payments?: PaymentsConfig;
  /** The mail server; absent: this site sends no mail. Its user and password are secrets (docs/notifications.md). */
  readonly mail?: MailConfig;
  /** Absent: this site sends no SMS. */
  readonly sms?: SmsConfig;
  /** Where traces go; absent: none are recorded (docs/traces.md). */
  readonly traces?: TracesConfig;
  /** Where metrics go, beside the log; absent: nowhere (docs/prometheus.md). */
  readonly metrics?: MetricsConfig;
  /** Where lines of the log go, beside standard output; absent: nowhere (docs/logs.md). */
  readonly logs?: LogsConfig;
  /** Where they go besides; absent: nowhere (docs/logs.md). */
  readonly centralLogs?: CentralLogsConfig;
  /**
   * The database that this site keeps tables of its records in; absent: none (docs/sql.md). A password may be in it on this
   * machine alone; elsewhere the site's identity opens it.
   */
  readonly sqlUrl?: string;
  /** Raised to have every record's row written anew, by a backfill. */
  readonly sqlFill?: number;
  /** A cache beside the store, which speaks the protocol of Redis; absent: none (docs/caching.md). */
  readonly cacheUrl?: string;
  /** Absent: no cache is purged (docs/caching.md). */
  readonly cdn?: CdnConfig;
  /** The settings of `own-settings.ts`. */
  readonly own: OwnConfig;
  readonly aws?: {
    readonly table: string;
    /** ARN; with central logs. */
    readonly centralLogsRole?: string;
    readonly outUrl: string;
    readonly inUrl: string;
    readonly deadUrl: string;
    readonly tickUrl: string;
    readonly verifyUrl: string;
    readonly reactUrl: string;
    readonly objectsQueueUrl: string;
    /** Of the names in Secrets Manager: `<prefix>/<name>`. */
    readonly secretsPrefix: string;
    /** Of objects; whoever has some needs it. */
    readonly objectsBucket?: string;
  };
  readonly azure?: {
    /** Of objects: the storage account, and its container; whoever has some needs both. */
    readonly objectsUrl?: string;
    readonly objectsContainer?: string;
    /** Of Communication Services: `https://<resource>.<geography>.communication.azure.com`, for SMS. */
    readonly communicationUrl?: string;
    /** Of the Key Vault; whoever reads secrets needs it. */
    readonly vaultUrl?: string;
    readonly cosmosEndpoint: string;
    readonly cosmosKey?: string;
    readonly cosmosDatabase: string;
    readonly cosmosContainer: string;
    readonly serviceBusNamespace?: string;
    readonly serviceBusConnection?: string;
    /** Resource id of the namespace; whoever reads counts needs it. */
    readonly serviceBusId?: string;
    /** Origin of Azure Resource Manager. */
    readonly resourceManager: string;
    readonly outQueue: string;
    readonly inQueue: string;
    readonly deadQueue: string;
    readonly verifyQueue: string;
    readonly reactQueue: string;
    readonly objectsQueue: string;
  };
}

/** Whether this site has a place for objects. */
export function hasObjects({ aws, azure }: Config): boolean {
  return aws?.objectsBucket !== undefined || azure?.objectsUrl !== undefined;
}

/** The peer in whose cloud this site keeps its archive: the first that has a place for it. */
export function archiveAt(peers: readonly PeerConfig[]): SiteId | undefined {
  return peers.find((peer) =>
    peer.cloud === 'aws' ? peer.backupBucket !== undefined : peer.backupContainer !== undefined,
  )?.site;
}

/** Variable → its place in the configuration. */
const COMMON = {
  TANDEM_SQL_URL: 'sqlUrl',
  TANDEM_SITE: 'site',
  TANDEM_REGION: 'region',
  TANDEM_LOG_LEVEL: 'logLevel',
} as const;
const AWS = {
  TANDEM_TABLE: 'table',
  TANDEM_OUT_URL: 'outUrl',
  TANDEM_IN_URL: 'inUrl',
  TANDEM_DEAD_URL: 'deadUrl',
  TANDEM_TICK_URL: 'tickUrl',
  TANDEM_VERIFY_URL: 'verifyUrl',
  TANDEM_REACT_URL: 'reactUrl',
  TANDEM_OBJECTS_QUEUE_URL: 'objectsQueueUrl',
  TANDEM_SECRETS_PREFIX: 'secretsPrefix',
  TANDEM_OBJECTS_BUCKET: 'objectsBucket',
  TANDEM_CENTRAL_LOGS_ROLE: 'centralLogsRole',
} as const;
const AZURE = {
  COSMOS_ENDPOINT: 'cosmosEndpoint',
  COSMOS_KEY: 'cosmosKey',
  COSMOS_DATABASE: 'cosmosDatabase',
  COSMOS_CONTAINER: 'cosmosContainer',
  SERVICE_BUS_NAMESPACE: 'serviceBusNamespace',
  SERVICE_BUS_CONNECTION: 'serviceBusConnection',
  SERVICE_BUS_ID: 'serviceBusId',
  RESOURCE_MANAGER_ENDPOINT: 'resourceManager',
  KEY_VAULT_URL: 'vaultUrl',
  TANDEM_OBJECTS_URL: 'objectsUrl',
  TANDEM_OBJECTS_CONTAINER: 'objectsContainer',
  COMMUNICATION_SERVICES_ENDPOINT: 'communicationUrl',
  TANDEM_OUT_QUEUE: 'outQueue',
  TANDEM_IN_QUEUE: 'inQueue',
  TANDEM_DEAD_QUEUE: 'deadQueue',
  TANDEM_VERIFY_QUEUE: 'verifyQueue',
  TANDEM_REACT_QUEUE: 'reactQueue',
  TANDEM_OBJECTS_QUEUE: 'objectsQueue',
} as const;

/** Place in the configuration → its variable. */
const LISTS: Readonly<Record<string, string>> = {
  peers: 'TANDEM_PEERS',
  operatorKeys: 'TANDEM_OPERATOR_KEYS',
  jwtIssuers: 'TANDEM_JWT_ISSUERS',
  serviceKeys: 'TANDEM_SERVICE_KEYS',
  retiredSites: 'TANDEM_RETIRED_SITES',
  callerLimits: 'TANDEM_CALLER_LIMITS',
  sqlFill: 'TANDEM_SQL_FILL',
};

const PAYMENTS = {
  TANDEM_PAYMENTS: 'provider',
  TANDEM_PAYMENTS_URL: 'url',
  TANDEM_PAYMENTS_RETURN_URL: 'returnUrl',
} as const;

const MAIL = {
  TANDEM_MAIL_URL: 'url',
  TANDEM_MAIL_FROM: 'from',
  TANDEM_MAIL_LINKS_URL: 'linksUrl',
} as const;

const CDN = {
  TANDEM_CDN_DISTRIBUTION: 'distribution',
  TANDEM_CDN_ENDPOINT: 'endpoint',
  TANDEM_CDN_ZONE: 'zone',
  TANDEM_CDN_ENDPOINT_URL: 'endpointUrl',
  TANDEM_CDN_ZONE_URL: 'zoneUrl',
} as const;
const SMS = { TANDEM_SMS_FROM: 'from', TANDEM_SMS_NAME: 'name' } as const;
const TRACES = {
  TANDEM_TRACES_URL: 'url',
  TANDEM_TRACES_RATIO: 'ratio',
  TANDEM_TRACES_HEADERS: 'headers',
} as const;
const LOGS = { TANDEM_LOGS_URL: 'url', TANDEM_LOGS_HEADERS: 'headers' } as const;
const METRICS = { TANDEM_METRICS_URL: 'url', TANDEM_METRICS_HEADERS: 'headers' } as const;

const TRACES_RATIO = 0.1;

const AWS_DEFAULTS = { secretsPrefix: 'tandem' };
const AZURE_DEFAULTS = {
  resourceManager: 'https://management.azure.com',
  outQueue: 'tandem-out',
  inQueue: 'tandem-in',
  deadQueue: 'tandem-dead',
  verifyQueue: 'tandem-verify',
  reactQueue: 'tandem-react',
  objectsQueue: 'tandem-objects',
};

/** The environment of this process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the configuration of one cloud.
 * @throws InvalidError that lists every variable that is missing or wrong.
 */
export function loadConfig(cloud: 'aws' | 'azure', env: Environment = process.env): Config {
  const { own, failures: unread } = readOwn(ownSettings, env);
  const payments = pick(env, PAYMENTS);
  const mail = pick(env, MAIL);
  const sms = pick(env, SMS);
  const cdn = pick(env, CDN);
  const common = {
    own,
    ...(Object.keys(payments).length > 0 && { payments: payments as unknown }),
    ...(Object.keys(mail).length > 0 && { mail: mail as unknown }),
    ...(Object.keys(sms).length > 0 && { sms: sms as unknown }),
    ...(Object.keys(cdn).length > 0 && { cdn: cdn as unknown }),
    ...tracesOf(env),
    ...metricsOf(env),
    ...logsOf(env),
    ...centralLogsOf(env),
    ...(env['TANDEM_SQL_FILL'] !== undefined &&
      env['TANDEM_SQL_FILL'] !== '' && { sqlFill: jsonOf(env['TANDEM_SQL_FILL'], 1) }),
    logLevel: 'info',
    ...pick(env, COMMON),
    ...cacheOf(env),
    peers: jsonListOf(env['TANDEM_PEERS']),
    operatorKeys: listOf(env['TANDEM_OPERATOR_KEYS']),
    jwtIssuers: jsonListOf(env['TANDEM_JWT_ISSUERS']),
    serviceKeys: jsonListOf(env['TANDEM_SERVICE_KEYS']),
    retiredSites: listOf(env['TANDEM_RETIRED_SITES']),
    rebuilding: flagOf(env['TANDEM_REBUILDING']),
    callerLimits: jsonOf(env['TANDEM_CALLER_LIMITS'], {}),
    storeTimeoutMs: jsonOf(env['TANDEM_STORE_TIMEOUT_MS'], storeTimeoutMs),
    trustsEverybody: flagOf(env['TANDEM_TRUST_EVERYBODY']),
  };
  const config =
    cloud === 'aws'
      ? { ...common, aws: { ...AWS_DEFAULTS, ...pick(env, AWS) } }
      : { ...common, azure: { ...AZURE_DEFAULTS, ...pick(env, AZURE) } };
  const failures = [
    ...unread,
    ...validate(configCheck, config),
    ...misdirected(cloud, config.peers),
    ...misplacedArchives(cloud, config.peers),
    ...confused(config.jwtIssuers),
    ...unknownAtLogs(cloud, config),
  ];
  if (failures.length > 0) {
    const list = failures.map(({ pointer, detail }) => `${variableOf(pointer)}: ${detail}`).join('; ');
    throw new InvalidError(`configuration: ${list}`, failures);
  }
  return deepFreeze(config as Config);
}

function pick(env: Environment, names: Readonly<Record<string, string>>): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [variable, name] of Object.entries(names)) {
    const value = env[variable];
    if (value !== undefined && value !== '') picked[name] = value;
  }
  return picked;
}

/** Without an address the others mean nothing: a definition passes them on with their defaults. */
function tracesOf(env: Environment): { traces?: unknown } {
  const { url, ratio, headers } = pick(env, TRACES);
  if (url === undefined) return {};
  return { traces: { url, ratio: jsonOf(ratio, TRACES_RATIO), headers: headersOf(headers) } };
}

function metricsOf(env: Environment): { metrics?: unknown } {
  const { url, headers } = pick(env, METRICS);
  return url === undefined ? {} : { metrics: { url, headers: headersOf(headers) } };
}

function logsOf(env: Environment): { logs?: unknown } {
  const { url, headers } = pick(env, LOGS);
  return url === undefined ? {} : { logs: { url, headers: headersOf(headers) } };
}

function centralLogsOf(env: Environment): { centralLogs?: unknown } {
  const text = env['TANDEM_CENTRAL_LOGS'];
  return text === undefined || text === '' ? {} : { centralLogs: jsonOf(text, undefined) };
}

/** A site goes on without its cache, also where the secret that has its address cannot be read. */
function cacheOf({ TANDEM_CACHE_URL: url = '' }: Environment): { cacheUrl?: unknown } {
  return url === '' || url.startsWith(UNRESOLVED) ? {} : { cacheUrl: url };
}

/** What Functions leaves in a setting whose secret cannot be read. That traces are refused must not stop a site. */
const UNRESOLVED = '@Microsoft.KeyVault(';

/** `name=value,other=value`, values percent-encoded where that is needed, as in `OTEL_EXPORTER_OTLP_HEADERS`. */
function headersOf(text = ''): unknown {
  if (text.startsWith(UNRESOLVED)) return {};
  const headers: Record<string, string> = {};
  for (const entry of listOf(text)) {
    const at = entry.indexOf('=');
    try {
      headers[entry.slice(0, Math.max(at, 0)).trim().toLowerCase()] = decodeURIComponent(
        entry.slice(at + 1).trim(),
      );
    } catch {
      return text;
    }
  }
  return headers;
}

function jsonListOf(text: string | undefined): unknown {
  return jsonOf(text, []);
}

/** What is no JSON stays as it is, for the schema to refuse. */
function jsonOf(text: string | undefined, byDefault: unknown): unknown {
  if (text === undefined || text === '') return byDefault;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** How a peer on one cloud knows a site on the other means nothing to a site of its own cloud. */
const FROM_THE_OTHER_CLOUD = { aws: 'roleArn', azure: 'tenantId' } as const;

/** A site would not find out before its first message to that peer. */
function misdirected(cloud: 'aws' | 'azure', peers: unknown): Failure[] {
  if (!Array.isArray(peers)) return [];
  const field = FROM_THE_OTHER_CLOUD[cloud];
  return peers.flatMap((peer: Readonly<Record<string, unknown>> | null, index) =>
    peer?.['cloud'] === cloud && peer[field] !== undefined
      ? [
          {
            pointer: `/peers/${index}/${field}`,
            rule: 'direction',
            detail: 'is for sites on the other cloud: this site sends there with the identity that it has',
          },
        ]
      : [],
  );
}

/** A site on AWS signs in at Azure as somebody; one on Azure as itself. */
function unknownAtLogs(cloud: 'aws' | 'azure', config: { centralLogs?: unknown; aws?: object }): Failure[] {
  const { centralLogs } = config;
  if (cloud === 'azure' || typeof centralLogs !== 'object' || centralLogs === null) return [];
  const lacking = ['tenantId', 'clientId'].filter((name) => !Object.hasOwn(centralLogs, name));
  return [
    ...lacking.map((name) => ({
      pointer: `/centralLogs/${name}`,
      rule: 'required',
      detail: 'is needed on AWS: as whom this site is known at Azure',
    })),
    ...(config.aws !== undefined && 'centralLogsRole' in config.aws
      ? []
      : [
          {
            pointer: '/aws/centralLogsRole',
            rule: 'required',
            detail: 'is needed for central logs: the role that AWS vouches for',
          },
        ]),
  ];
}

/** An archive in the same cloud would go with the site, and no site may be called as the archive is among markers. */
function misplacedArchives(cloud: 'aws' | 'azure', peers: unknown): Failure[] {
  if (!Array.isArray(peers)) return [];
  return peers.flatMap((peer: Readonly<Record<string, unknown>> | null, index) => [
    ...['backupBucket', 'backupContainer']
      .filter((field) => peer?.['cloud'] === cloud && peer[field] !== undefined)
      .map((field) => ({
        pointer: `/peers/${index}/${field}`,
        rule: 'direction',
        detail: 'is for sites on the other cloud: an archive in the same one would be lost with the site',
      })),
    ...(peer?.['site'] === ARCHIVE
      ? [{ pointer: `/peers/${index}/site`, rule: 'reserved', detail: `must not be ${ARCHIVE}` }]
      : []),
  ]);
}

/** Two issuers of one prefix could own each other's records. */
function confused(jwtIssuers: unknown): Failure[] {
  const issuers: readonly unknown[] = Array.isArray(jwtIssuers) ? jwtIssuers : [];
  const prefixes = issuers.map((issuer) => (issuer as { subjects?: unknown } | null)?.subjects);
  return prefixes.flatMap((prefix, i) =>
    prefix !== undefined && prefixes.indexOf(prefix) < i
      ? [
          {
            pointer: `/jwtIssuers/${i}/subjects`,
            rule: 'unique',
            detail: 'must differ from those of the other issuers',
          },
        ]
      : [],
  );
}

/** Anything but a truth value stays as it is, for the schema to refuse. */
function flagOf(text: string | undefined): boolean | string {
  if (text === undefined || text === '' || text === 'false') return false;
  return text === 'true' ? true : text;
}

/** The entries of a comma-separated list. */
function listOf(text = ''): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** The variable that a JSON pointer into the configuration comes from. */
function variableOf(pointer: string): string {
  const [, first = '', second = ''] = pointer.split('/');
  const list = LISTS[first];
  if (list !== undefined) return `${list}${pointer.slice(first.length + 1)}`;
  if (first === 'rebuilding') return 'TANDEM_REBUILDING';
  if (first === 'storeTimeoutMs') return 'TANDEM_STORE_TIMEOUT_MS';
  if (first === 'ownSettings') return 'TANDEM_OWN_SETTINGS';
  if (first === 'own') return variableOfOwn(second, pointer);
  if (first === 'trustsEverybody') return 'TANDEM_TRUST_EVERYBODY';
  if (first === 'sms') return variableIn(SMS, second) ?? 'TANDEM_SMS_FROM';
  if (first === 'cacheUrl') return 'TANDEM_CACHE_URL';
  if (first === 'cdn') return variableIn(CDN, second) ?? 'TANDEM_CDN_DISTRIBUTION';
  if (first === 'traces') return variableIn(TRACES, second) ?? 'TANDEM_TRACES_URL';
  if (first === 'centralLogs') return `TANDEM_CENTRAL_LOGS${pointer.slice('/centralLogs'.length)}`;
  if (first === 'logs') return variableIn(LOGS, second) ?? 'TANDEM_LOGS_URL';
  if (first === 'metrics') return variableIn(METRICS, second) ?? 'TANDEM_METRICS_URL';
  if (first === 'mail') return variableIn(MAIL, second) ?? 'TANDEM_MAIL_URL';
  const names: Readonly<Record<string, string>> = { ...COMMON, ...PAYMENTS, ...AWS, ...AZURE };
  return variableIn(names, second || first) ?? pointer;
}

function variableIn(names: Readonly<Record<string, string>>, wanted: string): string | undefined {
  return Object.entries(names).find(([, name]) => name === wanted)?.[0];
}

function variableOfOwn(name: string, pointer: string): string {
  const settings: OwnSettings = ownSettings;
  const variable = Object.hasOwn(settings, name) ? settings[name]?.env : undefined;
  return variable === undefined ? pointer : `${variable}${pointer.slice(`/own/${name}`.length)}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
