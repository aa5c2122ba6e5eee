import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/shared/config/config.ts';

const AWS = {
  TANDEM_SITE: 'aws-us-east-1',
  TANDEM_REGION: 'us-east-1',
  TANDEM_TABLE: 'tandem',
  TANDEM_OUT_URL: 'http://q/out',
  TANDEM_IN_URL: 'http://q/in',
  TANDEM_DEAD_URL: 'http://q/dead',
  TANDEM_TICK_URL: 'http://q/tick',
  TANDEM_VERIFY_URL: 'http://q/verify',
  TANDEM_REACT_URL: 'http://q/react',
  TANDEM_OBJECTS_QUEUE_URL: 'http://q/objects',
};
const AZURE_PEER = {
  site: 'azure-eastus',
  cloud: 'azure',
  region: 'eastus',
  url: 'https://tandem.azurewebsites.net',
  inbox: 'tandem-in',
  verify: 'tandem-verify',
  namespace: 'tandem.servicebus.windows.net',
};

describe('the configuration', () => {
  test('is read, completed with defaults and frozen', () => {
    const config = loadConfig('aws', { ...AWS, TANDEM_PEERS: JSON.stringify([AZURE_PEER]) });
    expect(config).toMatchObject({ site: 'aws-us-east-1', logLevel: 'info', peers: [AZURE_PEER] });
    expect(Object.isFrozen(config.peers[0])).toBe(true);
  });

  test('of mail is there as a whole or not at all, and names what is wrong by its variable', () => {
    expect(loadConfig('aws', AWS).mail).toBeUndefined();
    const mail = {
      TANDEM_MAIL_URL: 'smtps://smtp.example.com:465',
      TANDEM_MAIL_FROM: 'A shop <orders@example.com>',
      TANDEM_MAIL_LINKS_URL: 'https://shop.example.com',
    };
    expect(loadConfig('aws', { ...AWS, ...mail }).mail).toMatchObject({
      url: mail.TANDEM_MAIL_URL,
    });
    const { TANDEM_MAIL_FROM: _, ...without } = mail;
    expect(() => loadConfig('aws', { ...AWS, ...without })).toThrow('TANDEM_MAIL_FROM: is required');
    for (const [name, value] of [
      ['TANDEM_MAIL_URL', 'http://smtp.example.com'],
      ['TANDEM_MAIL_FROM', 'A shop <orders@example.com>\r\nBcc: all@example.com'],
      ['TANDEM_MAIL_LINKS_URL', 'http://shop.example.com'],
    ] as const)
      expect(() => loadConfig('aws', { ...AWS, ...mail, [name]: value })).toThrow(`${name}: `);
  });

  test('of traces needs an address, and has a tenth of them by default', () => {
    expect(loadConfig('aws', { ...AWS, TANDEM_TRACES_RATIO: '0.5' }).traces).toBeUndefined();
    const url = 'https://collector.example';
    const read = (more: Record<string, string>) =>
      loadConfig('aws', { ...AWS, TANDEM_TRACES_URL: url, ...more }).traces;
    expect(read({})).toEqual({ url, ratio: 0.1, headers: {} });
    expect(
      read({ TANDEM_TRACES_RATIO: '1', TANDEM_TRACES_HEADERS: 'X-Key=a%2Cb, authorization=Basic c=' }),
    ).toEqual({
      url,
      ratio: 1,
      headers: { 'x-key': 'a,b', authorization: 'Basic c=' },
    });
    // A secret that Functions cannot read stops no site.
    const unread = { TANDEM_TRACES_HEADERS: '@Microsoft.KeyVault(SecretUri=https://v.example/secrets/a)' };
    expect(read(unread)?.headers).toEqual({});
    for (const [name, value] of [
      ['TANDEM_TRACES_URL', 'http://collector.example'],
      ['TANDEM_TRACES_RATIO', '1.5'],
      ['TANDEM_TRACES_RATIO', 'all'],
      ['TANDEM_TRACES_HEADERS', 'nonsense'],
      ['TANDEM_TRACES_HEADERS', 'a=%0A'],
    ] as const)
      expect(() => read({ [name]: value })).toThrow(name);
  });

  test.each(['metrics', 'logs'] as const)(
    'of %s needs an address of their own, and headers that traces do not have',
    (signal) => {
      const traces = { TANDEM_TRACES_URL: 'https://traces.example', TANDEM_TRACES_HEADERS: 'x-key=t' };
      const [urlOf, headersOf] = [
        `TANDEM_${signal.toUpperCase()}_URL`,
        `TANDEM_${signal.toUpperCase()}_HEADERS`,
      ];
      const read = (more: Record<string, string>) =>
        loadConfig('aws', { ...AWS, ...traces, ...more })[signal];
      expect(read({ [headersOf]: 'x-key=m' })).toBeUndefined();
      const url = 'https://metrics.example';
      expect(read({ [urlOf]: url })).toEqual({ url, headers: {} });
      expect(read({ [urlOf]: url, [headersOf]: 'x-key=m' })).toEqual({ url, headers: { 'x-key': 'm' } });
      expect(() => read({ [urlOf]: 'http://metrics.example' })).toThrow(urlOf);
      expect(() => read({ [urlOf]: url, [headersOf]: 'nonsense' })).toThrow(headersOf);
    },
  );

  test('names every variable that is missing or wrong at once', () => {
    const read = (): unknown =>
      loadConfig('aws', {
        ...AWS,
        TANDEM_SITE: 'AWS us',
        TANDEM_TABLE: '',
        TANDEM_LOG_LEVEL: 'loud',
        TANDEM_PEERS: JSON.stringify([{ ...AZURE_PEER, url: 'nowhere', colour: 'red' }]),
      });
    expect(read).toThrow(/TANDEM_SITE: /);
    expect(read).toThrow(/TANDEM_TABLE: is required/);
    expect(read).toThrow(/TANDEM_LOG_LEVEL: must be one of debug, info, warn, error/);
    expect(read).toThrow(/TANDEM_PEERS\/0\/url: /);
    expect(read).toThrow(/TANDEM_PEERS\/0\/colour: is not a known field/);
  });

  test('a call of the store has 1.5 s, or as long as is said, and less than a function', () => {
    expect(loadConfig('aws', AWS).storeTimeoutMs).toBe(1_500);
    expect(loadConfig('aws', { ...AWS, TANDEM_STORE_TIMEOUT_MS: '8000' }).storeTimeoutMs).toBe(8_000);
    for (const wrong of ['0', '9001', '1.5', 'x'])
      expect(() => loadConfig('aws', { ...AWS, TANDEM_STORE_TIMEOUT_MS: wrong })).toThrow(
        /TANDEM_STORE_TIMEOUT_MS: must be/,
      );
  });

  test.each(['[', '{"a":1}', 'null'])('peers that are no list (%s) are refused', (text) => {
    expect(() => loadConfig('aws', { ...AWS, TANDEM_PEERS: text })).toThrow(/TANDEM_PEERS/);
  });

  test.each([
    [undefined, false],
    ['', false],
    ['false', false],
    ['true', true],
  ])('takes a site for one that is being rebuilt when told so: %p', (text, expected) => {
    expect(loadConfig('aws', { ...AWS, TANDEM_REBUILDING: text }).rebuilding).toBe(expected);
  });

  test('refuses a flag that is neither true nor false', () => {
    expect(() => loadConfig('aws', { ...AWS, TANDEM_REBUILDING: 'yes' })).toThrow(/TANDEM_REBUILDING: /);
  });

  test('accepts several operator keys as digests, and names the one that is none', () => {
    const [one, two] = ['0f'.repeat(32), 'a1'.repeat(32)];
    const keysOf = (text: string) => loadConfig('aws', { ...AWS, TANDEM_OPERATOR_KEYS: text }).operatorKeys;
    expect([keysOf(''), keysOf(`${one}, ${two}`)]).toEqual([[], [one, two]]);
    expect(() => keysOf(`${one},a-key-itself`)).toThrow(/TANDEM_OPERATOR_KEYS\/1: must match pattern/);
    expect(() => keysOf(`${one},${one}`)).toThrow(/TANDEM_OPERATOR_KEYS: must NOT have duplicate/);
  });

  describe('a peer on the other cloud that this site signs in to', () => {
    const awsPeer = {
      site: 'aws-us-east-1',
      cloud: 'aws',
      region: 'us-east-1',
      url: 'https://api.example',
      inbox: 'https://sqs/in',
      verify: 'https://sqs/verify',
    };
    const role = { roleArn: 'arn:aws:iam::123456789012:role/tandem-peer-sender', audience: 'api://tandem' };
    const identity = {
      tenantId: '11111111-1111-1111-1111-111111111111',
      clientId: '22222222-2222-2222-2222-222222222222',
    };
    const azure = {
      TANDEM_SITE: 'azure-eastus',
      TANDEM_REGION: 'eastus',
      COSMOS_ENDPOINT: 'https://x.documents.azure.com',
      COSMOS_DATABASE: 'tandem',
      COSMOS_CONTAINER: 'records',
      SERVICE_BUS_NAMESPACE: 'x.servicebus.windows.net',
      SERVICE_BUS_ID: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/x',
    };
    const read = (cloud: 'aws' | 'azure', peer: object) =>
      loadConfig(cloud, {
        ...(cloud === 'aws' ? AWS : azure),
        TANDEM_PEERS: JSON.stringify([peer]),
      }).peers;

    test('is named with its storage, too', () => {
      const storage = { objectsUrl: 'https://o.blob.core.windows.net', objectsContainer: 'objects' };
      expect(read('aws', { ...AZURE_PEER, ...storage })).toMatchObject([storage]);
      expect(read('azure', { ...awsPeer, objectsBucket: 'a-bucket' })).toMatchObject([
        { objectsBucket: 'a-bucket' },
      ]);
    });

    test('is named with the role, or the identity, that trusts this site', () => {
      expect(read('azure', { ...awsPeer, ...role })).toEqual([{ ...awsPeer, ...role }]);
      expect(read('aws', { ...AZURE_PEER, ...identity })).toEqual([{ ...AZURE_PEER, ...identity }]);
    });

    test.each([
      ['a role without an audience', 'azure', { ...awsPeer, roleArn: role.roleArn }, /audience/],
      ['what is no ARN of a role', 'azure', { ...awsPeer, ...role, roleArn: 'admin' }, /\/0\/roleArn: /],
      ['a client without a tenant', 'aws', { ...AZURE_PEER, clientId: identity.clientId }, /tenantId/],
      [
        'a container without its account',
        'aws',
        { ...AZURE_PEER, objectsContainer: 'objects' },
        /objectsContainer|objectsUrl/,
      ],
      [
        'an account without a container',
        'aws',
        { ...AZURE_PEER, objectsUrl: 'https://o.example' },
        /objectsContainer/,
      ],
      ['what is no bucket', 'azure', { ...awsPeer, objectsBucket: 'A_b' }, /\/0\/objectsBucket: /],
      ['what is no tenant', 'aws', { ...AZURE_PEER, ...identity, tenantId: 'acme' }, /\/0\/tenantId: /],
      ['a role for a site on AWS', 'aws', { ...awsPeer, ...role }, /\/0\/roleArn: is for sites on the other/],
      [
        'an identity for a site on Azure',
        'azure',
        { ...AZURE_PEER, ...identity },
        /\/0\/tenantId: is for sites on the other/,
      ],
    ] as const)('is refused with %s', (_, cloud, peer, message) => {
      expect(() => read(cloud, peer)).toThrow(message);
    });
  });

  describe('who may read and write', () => {
    const read = (issuers: string, keys = '') =>
      loadConfig('aws', { ...AWS, TANDEM_JWT_ISSUERS: issuers, TANDEM_SERVICE_KEYS: keys });
    const issuer = { issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x', clientIds: ['app'] };

    test('is everybody, unless issuers or keys are named', () => {
      expect(read('')).toMatchObject({ jwtIssuers: [], serviceKeys: [] });
      const key = { sha256: '0f'.repeat(32), scopes: ['tandem/read'] };
      const one = read(JSON.stringify([issuer]), JSON.stringify([key]));
      expect(one).toMatchObject({ jwtIssuers: [issuer], serviceKeys: [key] });
    });

    test.each([
      [
        'a symmetric algorithm',
        [{ ...issuer, algorithms: ['HS256'] }],
        /TANDEM_JWT_ISSUERS\/0\/algorithms\/0: /,
      ],
      ['no algorithm', [{ ...issuer, algorithms: ['none'] }], /TANDEM_JWT_ISSUERS\/0\/algorithms\/0: /],
      ['neither audience nor clients', [{ issuer: issuer.issuer }], /TANDEM_JWT_ISSUERS/],
      [
        'an issuer without TLS',
        [{ ...issuer, issuer: 'http://issuer.example' }],
        /TANDEM_JWT_ISSUERS\/0\/issuer: /,
      ],
      ['keys without TLS', [{ ...issuer, jwksUri: 'http://x.example/jwks' }], /\/0\/jwksUri: /],
      [
        'a host that only begins like this machine',
        [{ ...issuer, issuer: 'http://localhost.example' }],
        /TANDEM_JWT_ISSUERS\/0\/issuer: /,
      ],
    ])('is refused with %s', (_, issuers, message) => {
      expect(() => read(JSON.stringify(issuers))).toThrow(message);
    });

    test('is refused when a reference to a vault could not be resolved, without telling it', () => {
      const reference = '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/service-keys)';
      expect(() => read('', reference)).toThrow(/^configuration: TANDEM_SERVICE_KEYS: must be array$/);
    });
  });

  test('a place for objects is named or not, wholly, and by TLS or on this machine', () => {
    expect(loadConfig('aws', { ...AWS, TANDEM_OBJECTS_BUCKET: '' }).aws?.objectsBucket).toBeUndefined();
    for (const wrong of ['a.b', 'Photos', 'ab'])
      expect(() => loadConfig('aws', { ...AWS, TANDEM_OBJECTS_BUCKET: wrong })).toThrow(
        /TANDEM_OBJECTS_BUCKET: /,
      );
    const azure = {
      TANDEM_SITE: 'azure-eastus',
      TANDEM_REGION: 'eastus',
      COSMOS_ENDPOINT: 'https://c',
      COSMOS_DATABASE: 'd',
      COSMOS_CONTAINER: 'c',
      SERVICE_BUS_CONNECTION: 'Endpoint=sb://b',
    };
    const read = (url: string, container = 'objects') =>
      loadConfig('azure', { ...azure, TANDEM_OBJECTS_URL: url, TANDEM_OBJECTS_CONTAINER: container });
    expect(read('', '').azure).not.toHaveProperty('objectsUrl');
    const url = 'https://objects1.blob.core.windows.net';
    expect(read(url).azure).toMatchObject({ objectsUrl: url, objectsContainer: 'objects' });
    expect(() => read('http://objects1.blob.core.windows.net')).toThrow(/TANDEM_OBJECTS_URL: /);
    expect(() => read(url, 'a--b')).toThrow(/TANDEM_OBJECTS_CONTAINER: /);
    expect(() => read(url, '')).toThrow(/TANDEM_OBJECTS_CONTAINER|azure/);
  });

  test('of caches is a server by TLS, and ids of what is purged, named by their variables', () => {
    expect(loadConfig('aws', AWS)).not.toHaveProperty('cacheUrl');
    const read = (env: Record<string, string>) => loadConfig('aws', { ...AWS, ...env });
    for (const url of [
      'rediss://cache.example.com:6379',
      'rediss://user:a%2Fb@c.example.com',
      'redis://127.0.0.1:1',
    ])
      expect(read({ TANDEM_CACHE_URL: url }).cacheUrl).toBe(url);
    for (const url of ['redis://cache.example.com', 'http://127.0.0.1', 'rediss://a b'])
      expect(() => read({ TANDEM_CACHE_URL: url })).toThrow('TANDEM_CACHE_URL');
    // A secret that cannot be read stops no site.
    expect(read({ TANDEM_CACHE_URL: '@Microsoft.KeyVault(SecretUri=https://v/s)' }).cacheUrl).toBeUndefined();
    const cdn = { TANDEM_CDN_DISTRIBUTION: 'E2QWRUHAPOMQZL', TANDEM_CDN_ZONE: 'a'.repeat(32) };
    expect(read(cdn).cdn).toEqual({ distribution: 'E2QWRUHAPOMQZL', zone: 'a'.repeat(32) });
    for (const [name, value] of [
      ['TANDEM_CDN_DISTRIBUTION', 'https://d1.cloudfront.net'],
      ['TANDEM_CDN_ENDPOINT', '/subscriptions/s'],
      ['TANDEM_CDN_ZONE', 'example.com'],
    ] as const)
      expect(() => read({ [name]: value })).toThrow(name);
  });

  test('an Azure site needs a namespace or a connection string', () => {
    const azure = {
      TANDEM_SITE: 'azure-eastus',
      TANDEM_REGION: 'eastus',
      COSMOS_ENDPOINT: 'https://x.documents.azure.com',
      COSMOS_DATABASE: 'tandem',
      COSMOS_CONTAINER: 'records',
    };
    expect(() => loadConfig('azure', azure)).toThrow(/SERVICE_BUS_NAMESPACE|serviceBusNamespace/);
    // Whose counts are read at Resource Manager, by its id.
    const named = { ...azure, SERVICE_BUS_NAMESPACE: 'x' };
    expect(() => loadConfig('azure', named)).toThrow(/serviceBusId/);
    expect(() => loadConfig('azure', { ...named, SERVICE_BUS_ID: '/namespaces/x' })).toThrow(
      /SERVICE_BUS_ID/,
    );
    const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/x';
    expect(loadConfig('azure', { ...named, SERVICE_BUS_ID: id }).azure).toMatchObject({
      serviceBusId: id,
      resourceManager: 'https://management.azure.com',
      outQueue: 'tandem-out',
      deadQueue: 'tandem-dead',
      verifyQueue: 'tandem-verify',
      reactQueue: 'tandem-react',
      objectsQueue: 'tandem-objects',
    });
  });
});
