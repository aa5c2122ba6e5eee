/** Request bodies of Cloudflare's API v4, as its reference publishes them, as JSON Schema. */

const id = { type: 'string', pattern: '^[0-9a-f]{32}$' };
const text = { type: 'string' };
const ids = { type: 'array', items: id };
const idLists = { type: 'object', additionalProperties: ids };
const ttl = { anyOf: [{ const: 1 }, { type: 'integer', minimum: 60, maximum: 86_400 }] };
const name = { type: 'string', pattern: '^[a-z0-9_.*-]+$', maxLength: 255 };
const whole16 = { type: 'integer', minimum: 0, maximum: 65_535 };

const object = (required: readonly string[], properties: object) => ({
  type: 'object',
  required,
  properties,
  additionalProperties: false,
});
const record = (type: string, required: readonly string[], own: object) =>
  object(['name', 'type', 'ttl', ...required], {
    name,
    ttl,
    type: { const: type },
    proxied: { type: 'boolean' },
    comment: { type: 'string', maxLength: 100 },
    ...own,
  });

const RECORD = {
  oneOf: [
    record('A', ['content'], { content: { format: 'ipv4', type: 'string' } }),
    record('AAAA', ['content'], { content: { format: 'ipv6', type: 'string' } }),
    record('CNAME', ['content'], { content: name }),
    record('NS', ['content'], { content: name }),
    record('TXT', ['content'], { content: { type: 'string', pattern: '^"' } }),
    record('MX', ['content', 'priority'], { content: name, priority: whole16 }),
    record('SRV', ['data'], {
      data: object(['priority', 'weight', 'port', 'target'], {
        priority: whole16,
        weight: whole16,
        port: whole16,
        target: name,
      }),
    }),
    record('CAA', ['data'], {
      data: object(['flags', 'tag', 'value'], {
        flags: { type: 'integer', minimum: 0, maximum: 255 },
        tag: text,
        value: text,
      }),
    }),
  ],
};

/** A record that is changed in place; what is not said of it stays. */
const PATCH = {
  oneOf: RECORD.oneOf.map((one) => ({
    ...one,
    required: [...one.required, 'id'],
    properties: { ...one.properties, id },
  })),
};

export const BATCH = object([], {
  deletes: { type: 'array', items: object(['id'], { id }) },
  patches: { type: 'array', items: PATCH },
  posts: { type: 'array', items: RECORD },
});

export const MONITOR = object(['type'], {
  type: { enum: ['http', 'https', 'tcp', 'udp_icmp', 'icmp_ping', 'smtp'] },
  description: text,
  method: text,
  path: { type: 'string', pattern: '^/' },
  port: whole16,
  header: { type: 'object', additionalProperties: { type: 'array', items: text } },
  interval: { type: 'integer', minimum: 5, maximum: 3_600 },
  timeout: { type: 'integer', minimum: 1, maximum: 15 },
  retries: { type: 'integer', minimum: 0, maximum: 5 },
  consecutive_down: { type: 'integer', minimum: 0 },
  consecutive_up: { type: 'integer', minimum: 0 },
  expected_codes: { type: 'string', pattern: '^[1-5](\\d\\d|xx)$' },
  follow_redirects: { type: 'boolean' },
});

export const POOL = object(['name', 'origins'], {
  name: { type: 'string', pattern: '^[A-Za-z0-9_-]+$' },
  description: text,
  monitor: id,
  origins: {
    type: 'array',
    minItems: 1,
    items: object(['name', 'address'], {
      name: text,
      address: text,
      enabled: { type: 'boolean' },
      weight: { type: 'number', minimum: 0, maximum: 1, multipleOf: 0.01 },
    }),
  },
});

const PERIODS = [10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1200, 1800, 2400, 3600];

const rule = (action: string, required: readonly string[], own: object) =>
  object(['action', 'expression', ...required], {
    action: { const: action },
    expression: { type: 'string', pattern: '^\\(.+\\)$', maxLength: 4096 },
    description: { type: 'string', maxLength: 500 },
    enabled: { type: 'boolean' },
    ref: { type: 'string', minLength: 1 },
    ...own,
  });

/** By phase: https://developers.cloudflare.com/ruleset-engine/reference/phases-list/ */
export const RULES: Readonly<Record<string, object>> = {
  http_request_cache_settings: rule('set_cache_settings', ['action_parameters'], {
    action_parameters: object(['cache'], {
      cache: { type: 'boolean' },
      edge_ttl: object(['mode'], {
        mode: { enum: ['respect_origin', 'bypass_by_default', 'override_origin'] },
      }),
      browser_ttl: object(['mode'], {
        mode: { enum: ['respect_origin', 'bypass_by_default', 'override_origin', 'bypass'] },
      }),
    }),
  }),
  http_request_firewall_managed: rule('execute', ['action_parameters'], {
    action_parameters: object(['id'], { id }),
  }),
  http_ratelimit: rule('block', ['ratelimit'], {
    ratelimit: object(['characteristics', 'period', 'requests_per_period'], {
      characteristics: { type: 'array', contains: { const: 'cf.colo.id' }, items: text },
      period: { enum: PERIODS },
      requests_per_period: { type: 'integer', minimum: 1 },
      mitigation_timeout: { enum: [0, ...PERIODS, 86_400] },
    }),
  }),
};

const STEERING = {
  steering_policy: {
    enum: [
      'off',
      'geo',
      'random',
      'dynamic_latency',
      'proximity',
      'least_outstanding_requests',
      'least_connections',
      '',
    ],
  },
  default_pools: { ...ids, minItems: 1 },
  fallback_pool: id,
  random_steering: object([], {
    default_weight: { type: 'number', minimum: 0, maximum: 1 },
    pool_weights: { type: 'object', additionalProperties: { type: 'number', minimum: 0, maximum: 1 } },
  }),
  region_pools: {
    ...idLists,
    propertyNames: {
      enum: ['WNAM', 'ENAM', 'WEU', 'EEU', 'NSAM', 'SSAM', 'OC', 'ME', 'NAF', 'SAF', 'SAS', 'SEAS', 'NEAS'],
    },
  },
  country_pools: { ...idLists, propertyNames: { pattern: '^[A-Z]{2}$' } },
};

export const BALANCER = object(['name', 'default_pools', 'fallback_pool'], {
  name,
  description: text,
  enabled: { type: 'boolean' },
  proxied: { type: 'boolean' },
  ttl: { type: 'integer', minimum: 30, maximum: 600 },
  ...STEERING,
  rules: {
    type: 'array',
    items: object(['condition'], {
      name: { type: 'string', maxLength: 200 },
      condition: { type: 'string', pattern: 'http\\.request\\.uri\\.path' },
      disabled: { type: 'boolean' },
      priority: { type: 'integer', minimum: 0 },
      terminates: { type: 'boolean' },
      overrides: object([], STEERING),
    }),
  },
});
