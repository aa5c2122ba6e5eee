/** JSON Schema of the configuration; compiled ahead of time with all others. */
const text = { type: 'string', minLength: 1 } as const;
const url = { type: 'string', pattern: '^https?://[^ ]+$' } as const;
const site = { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' } as const;

/** Names of things in Entra. */
const uuid = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$',
} as const;
const roleArn = { type: 'string', pattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^ ]+$' } as const;

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
  },
  dependencies: { roleArn: ['audience'], audience: ['roleArn'] },
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
  },
  dependencies: { tenantId: ['clientId', 'namespace'], clientId: ['tenantId'] },
} as const;

export const configSchema = {
  type: 'object',
  required: ['site', 'region', 'peers', 'logLevel', 'operatorKeys', 'rebuilding'],
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
      items: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    },
    rebuilding: { type: 'boolean' },
    aws: {
      type: 'object',
      required: ['table', 'outUrl', 'inUrl', 'deadUrl', 'tickUrl', 'verifyUrl'],
      additionalProperties: false,
      properties: { table: text, outUrl: text, inUrl: text, deadUrl: text, tickUrl: text, verifyUrl: text },
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
      ],
      anyOf: [{ required: ['serviceBusNamespace'] }, { required: ['serviceBusConnection'] }],
      additionalProperties: false,
      properties: {
        cosmosEndpoint: text,
        cosmosKey: text,
        cosmosDatabase: text,
        cosmosContainer: text,
        serviceBusNamespace: text,
        serviceBusConnection: text,
        outQueue: text,
        inQueue: text,
        deadQueue: text,
        verifyQueue: text,
      },
    },
  },
} as const;
