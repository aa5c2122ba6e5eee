/** JSON Schema of the configuration; compiled ahead of time with all others. */
import { smsNameMax } from '../bounds.ts';
import { ownSchema } from './own-setting.ts';
import { ownSettings } from './own-settings.ts';

const text = { type: 'string', minLength: 1 } as const;
const url = { type: 'string', pattern: '^https?://[^ ]+$' } as const;
const site = { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' } as const;

/** Names of things in Entra. */
const uuid = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$',
} as const;
const roleArn = { type: 'string', pattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^ ]+$' } as const;

/** A digest of a key: the key itself is in no configuration. */
const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
/** By TLS, or to this machine. */
const issuerUrl = {
  type: 'string',
  pattern: '^(https://|http://(127\\.0\\.0\\.1|localhost)[:/])[^ ]+$',
} as const;
const collectorHeaders = {
  type: 'object',
  maxProperties: 8,
  propertyNames: { pattern: '^[a-z0-9-]{1,64}$' },
  additionalProperties: { type: 'string', pattern: '^[\\x20-\\x7e]{1,2000}$' },
} as const;
/** An origin, by TLS, or on this machine: keys go there. */
const originUrl = {
  type: 'string',
  pattern: '^(https://[^ /]+|http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?)$',
} as const;
/** A mail server; with `smtp:`, TLS begins with STARTTLS, but on this machine. */
const mailUrl = { type: 'string', pattern: '^smtps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$' } as const;
/** One line: an address of ASCII, behind a name where there is one. */
const mailFrom = {
  type: 'string',
  maxLength: 200,
  pattern: '^([^<>"\\r\\n]{1,100} <[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>|[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)$',
} as const;
/** As SNS and Communication Services both take it: a number, a short code, or a sender id with a letter in it. */
const smsFrom = {
  type: 'string',
  pattern: '^([+][1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9]{1,11})$',
} as const;
/** Of GSM's alphabet, so that it makes no text longer. */
const smsName = { type: 'string', maxLength: smsNameMax, pattern: "^[A-Za-z0-9ÄÖÜäöüß&.,'()+ -]+$" } as const;
/** With a password on this machine alone. */
const sqlUrl = {
  type: 'string',
  pattern:
    '^postgres(ql)?://([^/?#@:\\s]+@[A-Za-z0-9.-]+|[^/?#@:\\s]+:[^/?#@\\s]*@(127[.]0[.]0[.]1|localhost))(:[0-9]{1,5})?/[A-Za-z0-9_-]+$',
} as const;
/** By TLS, or on this machine. */
const cacheUrl = {
  type: 'string',
  pattern:
    '^(rediss://([^/?#@\\s]*@)?[A-Za-z0-9.-]+|redis://(127[.]0[.]0[.]1|localhost))(:[0-9]{1,5})?(/[0-9]{1,2})?$',
} as const;
const texts = { type: 'array', minItems: 1, maxItems: 16, items: text } as const;

const jwtIssuer = {
  type: 'object',
  required: ['issuer'],
  anyOf: [{ required: ['audience'] }, { required: ['clientIds'] }],
  additionalProperties: false,
  properties: {
    issuer: issuerUrl,
    jwksUri: issuerUrl,
    audience: text,
    clientIds: texts,
    algorithms: {
      type: 'array',
      minItems: 1,
      // Those with a public key only.
      items: {
        enum: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
      },
    },
    claims: { type: 'object', additionalProperties: text },
    claimNames: { type: 'object', maxProperties: 16, additionalProperties: text },
    subjects: { type: 'string', pattern: '^([a-z0-9][a-z0-9.-]{0,31})?$', not: { const: 'service' } },
  },
} as const;

const serviceKey = {
  type: 'object',
  required: ['sha256', 'scopes'],
  additionalProperties: false,
  properties: {
    sha256,
    scopes: { type: 'array', maxItems: 32, items: { type: 'string', pattern: '^[!#-[\\]-~]{1,128}$' } },
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]{0,63}$' },
    claims: { type: 'object', maxProperties: 16, additionalProperties: text },
  },
} as const;

const limit = {
  type: 'object',
  required: ['perSecond', 'burst'],
  additionalProperties: false,
  properties: {
    perSecond: { type: 'number', minimum: 0.01, maximum: 1_000_000 },
    burst: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  },
} as const;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; with dots TLS by its name fails.
const bucket = { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$' } as const;
/** Of a storage account: by TLS, or on this machine, where the account is in the path. */
const blobUrl = {
  type: 'string',
  pattern: '^(https://[a-z0-9.-]+/?|http://(127\\.0\\.0\\.1|localhost):[0-9]+/[a-z0-9]{3,24})$',
} as const;
// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
const blobContainer = {
  type: 'string',
  pattern: '^[a-z0-9](-?[a-z0-9])+$',
  minLength: 3,
  maxLength: 63,
} as const;

const awsPeer = {
  type: 'object',
  required: ['site', 'cloud', 'region', 'url', 'inbox', 'verify'],
  additionalProperties: false,
  properties: {
    site,
    cloud: { const: 'aws' },
    region: text,
    url: url,
    inbox: url,
    verify: url,
    endpoint: url,
    roleArn,
    audience: text,
    objectsBucket: bucket,
    objectsEndpoint: url,
    backupBucket: bucket,
    backupEndpoint: url,
  },
  dependencies: {
    roleArn: ['audience'],
    audience: ['roleArn'],
    objectsEndpoint: ['objectsBucket'],
    backupEndpoint: ['backupBucket'],
  },
} as const;

const azurePeer = {
  type: 'object',
  required: ['site', 'cloud', 'region', 'url', 'inbox', 'verify'],
  additionalProperties: false,
  properties: {
    site,
    cloud: { const: 'azure' },
    region: text,
    url: url,
    inbox: text,
    verify: text,
    namespace: text,
    connectionString: text,
    tenantId: uuid,
    clientId: uuid,
    objectsUrl: blobUrl,
    objectsContainer: blobContainer,
    objectsConnectionString: text,
    backupUrl: blobUrl,
    backupContainer: blobContainer,
    backupConnectionString: text,
  },
  dependencies: {
    tenantId: ['clientId', 'namespace'],
    clientId: ['tenantId'],
    objectsUrl: ['objectsContainer'],
    objectsConnectionString: ['objectsContainer'],
    // One of the two says where the container is.
    objectsContainer: {
      anyOf: [{ required: ['objectsUrl'] }, { required: ['objectsConnectionString'] }],
    },
    backupUrl: ['backupContainer'],
    backupConnectionString: ['backupContainer'],
    backupContainer: {
      anyOf: [{ required: ['backupUrl'] }, { required: ['backupConnectionString'] }],
    },
  },
} as const;

export const configSchema = {
  type: 'object',
  required: [
    'site',
    'region',
    'peers',
    'logLevel',
    'operatorKeys',
    'jwtIssuers',
    'serviceKeys',
    'retiredSites',
    'rebuilding',
    'own',
    'trustsEverybody',
    'callerLimits',
    'storeTimeoutMs',
  ],
  additionalProperties: false,
  properties: {
    site,
    region: text,
    logLevel: { enum: ['debug', 'info', 'warn', 'error'] },
    peers: {
      type: 'array',
      maxItems: 8,
      items: {
        type: 'object',
        required: ['cloud'],
        properties: { cloud: { enum: ['aws', 'azure'] } },
        if: { properties: { cloud: { const: 'aws' } } },
        then: awsPeer,
        else: azurePeer,
      },
    },
    operatorKeys: {
      type: 'array',
      maxItems: 8,
      uniqueItems: true,
      items: sha256,
    },
    jwtIssuers: { type: 'array', maxItems: 8, items: jwtIssuer },
    serviceKeys: { type: 'array', maxItems: 32, items: serviceKey },
    retiredSites: { type: 'array', maxItems: 48, uniqueItems: true, items: site },
    rebuilding: { type: 'boolean' },
    payments: {
      type: 'object',
      required: ['provider'],
      additionalProperties: false,
      properties: { provider: { enum: ['stripe', 'paypal'] }, url: originUrl, returnUrl: url },
    },
    mail: {
      type: 'object',
      required: ['url', 'from', 'linksUrl'],
      additionalProperties: false,
      properties: { url: mailUrl, from: mailFrom, linksUrl: originUrl },
    },
    sms: {
      type: 'object',
      required: ['from', 'name'],
      additionalProperties: false,
      properties: { from: smsFrom, name: smsName },
    },
    traces: {
      type: 'object',
      required: ['url', 'ratio', 'headers'],
      additionalProperties: false,
      properties: {
        url: issuerUrl,
        ratio: { type: 'number', minimum: 0, maximum: 1 },
        headers: collectorHeaders,
      },
    },
    metrics: {
      type: 'object',
      required: ['url', 'headers'],
      additionalProperties: false,
      properties: { url: issuerUrl, headers: collectorHeaders },
    },
    logs: {
      type: 'object',
      required: ['url', 'headers'],
      additionalProperties: false,
      properties: { url: issuerUrl, headers: collectorHeaders },
    },
    centralLogs: {
      type: 'object',
      required: ['endpoint', 'rule'],
      additionalProperties: false,
      properties: {
        endpoint: issuerUrl,
        rule: { type: 'string', pattern: '^dcr-[0-9a-f]{32}$' },
        tenantId: uuid,
        clientId: uuid,
      },
      dependencies: { tenantId: ['clientId'], clientId: ['tenantId'] },
    },
    cdn: {
      type: 'object',
      anyOf: [{ required: ['distribution'] }, { required: ['endpoint'] }, { required: ['zone'] }],
      additionalProperties: false,
      properties: {
        distribution: { type: 'string', pattern: '^[A-Z0-9]{8,32}$' },
        endpoint: {
          type: 'string',
          pattern:
            '^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft[.]Cdn/profiles/[^/]+/afdEndpoints/[^/]+$',
        },
        zone: { type: 'string', pattern: '^[0-9a-f]{32}$' },
        endpointUrl: originUrl,
        zoneUrl: originUrl,
      },
    },
    cacheUrl,
    sqlUrl,
    sqlFill: { type: 'integer', minimum: 1, maximum: 1_000_000 },
    own: ownSchema(ownSettings),
    trustsEverybody: { type: 'boolean' },
    // Less than a function has in all.
    storeTimeoutMs: { type: 'integer', minimum: 100, maximum: 9_000 },
    callerLimits: {
      type: 'object',
      additionalProperties: false,
      properties: { requests: limit, writes: limit, waitingReads: limit },
    },
    aws: {
      type: 'object',
      required: [
        'table',
        'outUrl',
        'inUrl',
        'deadUrl',
        'tickUrl',
        'verifyUrl',
        'reactUrl',
        'objectsQueueUrl',
        'secretsPrefix',
      ],
      additionalProperties: false,
      properties: {
        table: text,
        centralLogsRole: text,
        outUrl: text,
        inUrl: text,
        deadUrl: text,
        tickUrl: text,
        verifyUrl: text,
        reactUrl: text,
        // As the name of a secret, without a slash at its end.
        secretsPrefix: {
          type: 'string',
          pattern: '^[A-Za-z0-9_+=.@-]+(/[A-Za-z0-9_+=.@-]+)*$',
          maxLength: 200,
        },
        objectsQueueUrl: text,
        objectsBucket: bucket,
      },
    },
    azure: {
      type: 'object',
      required: [
        'cosmosEndpoint',
        'cosmosDatabase',
        'cosmosContainer',
        'outQueue',
        'inQueue',
        'deadQueue',
        'verifyQueue',
        'reactQueue',
        'objectsQueue',
        'resourceManager',
      ],
      // Deployed, the namespace has an id as well as a name.
      dependencies: {
        serviceBusNamespace: ['serviceBusId'],
        objectsUrl: ['objectsContainer'],
        objectsContainer: ['objectsUrl'],
      },
      anyOf: [{ required: ['serviceBusNamespace'] }, { required: ['serviceBusConnection'] }],
      additionalProperties: false,
      properties: {
        // By TLS, or on this machine.
        vaultUrl: {
          type: 'string',
          pattern: '^(https://[a-z0-9.-]+|http://(127\\.0\\.0\\.1|localhost):[0-9]+)/?$',
        },
        objectsUrl: blobUrl,
        objectsContainer: blobContainer,
        communicationUrl: originUrl,
        cosmosEndpoint: text,
        cosmosKey: text,
        cosmosDatabase: text,
        cosmosContainer: text,
        serviceBusNamespace: text,
        serviceBusConnection: text,
        serviceBusId: {
          type: 'string',
          pattern:
            '^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft[.]ServiceBus/namespaces/[^/]+$',
        },
        resourceManager: { type: 'string', pattern: '^https?://[^/]+$' },
        outQueue: text,
        inQueue: text,
        deadQueue: text,
        verifyQueue: text,
        reactQueue: text,
        objectsQueue: text,
      },
    },
  },
} as const;
