import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../../src/shared/config/config.ts';
import { defaultPorts } from '../../src/ports.ts';
import { MAIL_SECRETS } from '../../src/processes/mail-settings.ts';
import { LOCAL_SECRETS } from '../../src/processes/payments-settings.ts';
import { parseSites } from '../../src/stack/sites.ts';
import {
  endpointsOf,
  PERSON_SECRETS,
  planProcesses,
  type ProcessPlan,
  type TopologyInput,
} from '../../src/stack/topology.ts';

function planned(overrides: Partial<TopologyInput> = {}): ProcessPlan[] {
  const sites = overrides.sites ?? parseSites('aws-us-east-1,azure-eastus,azure-westeurope');
  return planProcesses({
    sites,
    ports: defaultPorts(sites),
    projectDir: '/project',
    runDir: '/stack/run',
    buildDir: '/stack/build',
    dataDir: '/stack/data',
    cacheDir: '/project/cache',
    logLevel: 'warn',
    operatorDigest: 'ab'.repeat(32),
    inherited: { PATH: '/bin' },
    payments: 'stripe',
    ...overrides,
  });
}

function byName(plans: readonly ProcessPlan[], name: string): ProcessPlan {
  const plan = plans.find((candidate) => candidate.name === name);
  if (plan === undefined) throw new Error(`no process ${name}`);
  return plan;
}

describe('the processes of a stack', () => {
  test('emulators and a host per site, one edge and one DNS server', () => {
    expect(planned().map(({ name }) => name)).toEqual([
      'aws-us-east-1.emulators',
      'azure-eastus.emulators',
      'azure-westeurope.emulators',
      'aws-us-east-1',
      'azure-eastus',
      'azure-westeurope',
      'edge',
      'dns',
      'payments',
    ]);
  });

  test('every site sends mail to one server and SMS by its cloud, what comes back goes to the edge', () => {
    const plans = planned({ mail: true });
    const { args, role } = byName(plans, 'mail');
    expect(role).toBe('emulators');
    expect(JSON.parse(args[1] ?? '')).toMatchObject({
      ports: { smtp: 1025, web: 8025, sns: 9911, 'communication-services': 9912 },
      regions: ['us-east-1'],
      bouncesTo: 'http://127.0.0.1:8080/notifications/bounces',
    });
    expect(args[1]).not.toContain('issuer');
    for (const site of ['aws-us-east-1', 'azure-eastus']) {
      expect(byName(plans, site).env).toMatchObject({
        TANDEM_MAIL_URL: 'smtp://127.0.0.1:1025',
        TANDEM_MAIL_FROM: 'Tandem shop <orders@shop.test>',
        TANDEM_MAIL_LINKS_URL: 'http://127.0.0.1:8080',
        ...{ TANDEM_SMS_FROM: '+15005550100', TANDEM_SMS_NAME: 'Tandem shop' },
      });
      const settings = JSON.parse(byName(plans, `${site}.emulators`).args[1] ?? '') as { secrets: object };
      expect(settings.secrets).toEqual({ ...PERSON_SECRETS, ...LOCAL_SECRETS, ...MAIL_SECRETS });
    }
  });

  test('each cloud has a provider of SMS of its own', () => {
    const plans = planned({ mail: true });
    expect(byName(plans, 'aws-us-east-1').env['AWS_ENDPOINT_URL_SNS']).toBe('http://127.0.0.1:9911');
    expect(byName(plans, 'azure-eastus').env['COMMUNICATION_SERVICES_ENDPOINT']).toBe(
      'http://127.0.0.1:9912',
    );
    expect(byName(plans, 'azure-eastus').env['AWS_ENDPOINT_URL_SNS']).toBeUndefined();
  });

  test('every site sends all traces, metrics and lines of its log to one process, whatever the shell says', () => {
    const inherited = { TANDEM_TRACES_URL: 'https://collector.example', TANDEM_TRACES_RATIO: '0.5' };
    const plans = planned({ traces: true, inherited });
    const file = '/stack/run/telemetry.sqlite';
    expect(byName(plans, 'traces').args.slice(1)).toEqual(['--port', '4318', '--file', file]);
    const collector = 'http://127.0.0.1:14318';
    expect(byName(planned({ traces: true, collector }), 'aws-us-east-1').env).toMatchObject({
      TANDEM_TRACES_URL: collector,
      TANDEM_METRICS_URL: collector,
      TANDEM_LOGS_URL: collector,
    });
    for (const site of ['aws-us-east-1', 'azure-eastus'])
      expect(byName(plans, site).env).toMatchObject({
        TANDEM_TRACES_URL: 'http://127.0.0.1:4318',
        TANDEM_TRACES_RATIO: '1',
        TANDEM_METRICS_URL: 'http://127.0.0.1:4318',
        TANDEM_LOGS_URL: 'http://127.0.0.1:4318',
      });
    expect(byName(planned(), 'aws-us-east-1').env).not.toHaveProperty('TANDEM_TRACES_URL');
    expect(byName(planned(), 'aws-us-east-1').env).not.toHaveProperty('TANDEM_METRICS_URL');
  });

  test('the sandboxes send their events to the edge, and every site takes payments at the one that is named', () => {
    const plans = planned({ payments: 'paypal' });
    const { args, role } = byName(plans, 'payments');
    expect(role).toBe('emulators');
    expect(JSON.parse(args[1] ?? '')).toEqual({
      ports: { stripe: 12_111, paypal: 12_112 },
      webhooks: {
        stripe: 'http://127.0.0.1:8080/payments/stripe',
        paypal: 'http://127.0.0.1:8080/payments/paypal',
      },
      dataDir: '/stack/data/payments',
      secretsFile: '/project/.env',
    });
    for (const site of ['aws-us-east-1', 'azure-eastus']) {
      const { env } = byName(plans, site);
      expect(env['TANDEM_PAYMENTS']).toBe('paypal');
      expect(env['TANDEM_PAYMENTS_URL']).toBe('http://127.0.0.1:12112');
    }
  });

  test('keep what Node compiles beside what is built, or where the one who starts them keeps it', () => {
    const places = (inherited: Record<string, string>) =>
      new Set(planned({ inherited }).map(({ env }) => env['NODE_COMPILE_CACHE']));
    expect(places({})).toEqual(new Set(['/project/cache']));
    expect(places({ NODE_COMPILE_CACHE: '/kept' })).toEqual(new Set(['/kept']));
  });

  test('with a port for an issuer, the mail server asks it for a token', () => {
    const sites = parseSites('aws-us-east-1,azure-eastus');
    const ports = defaultPorts(sites, { withIssuer: true });
    const { args } = byName(planned({ mail: true, sites, ports }), 'mail');
    expect(JSON.parse(args[1] ?? '')).toMatchObject({ issuer: 'http://127.0.0.1:9400' });
  });

  test('with a port for an issuer: that too, and every host believes it', () => {
    const sites = parseSites('aws-us-east-1,azure-eastus');
    const plans = planned({ sites, ports: defaultPorts(sites, { withIssuer: true }) });
    expect(byName(plans, 'issuer').args.slice(1)).toEqual(['--port', '9400']);
    for (const [name, cloud] of [
      ['aws-us-east-1', 'aws'],
      ['azure-eastus', 'azure'],
    ] as const) {
      const { env } = byName(plans, name);
      const urls = Object.fromEntries(
        ['OUT', 'IN', 'DEAD', 'TICK', 'VERIFY', 'REACT', 'OBJECTS_QUEUE'].map((q) => [
          `TANDEM_${q}_URL`,
          'x',
        ]),
      );
      expect(loadConfig(cloud, { TANDEM_TABLE: 'tandem', ...urls, ...env }).jwtIssuers).toEqual([
        { issuer: 'http://127.0.0.1:9400', audience: 'tandem' },
      ]);
    }
    expect(byName(planned(), 'azure-eastus').env['TANDEM_JWT_ISSUERS']).toBeUndefined();
  });

  test('a host is ready when its bridge is', () => {
    expect(byName(planned(), 'azure-eastus').announces).toEqual(['azure-eastus', 'azure-eastus.bridge']);
  });

  test('every host knows the digest of the operator key, nobody else does, and it is in no argument', () => {
    const digest = 'ab'.repeat(32);
    for (const { name, role, env, args } of planned()) {
      expect([name, env['TANDEM_OPERATOR_KEYS']]).toEqual([name, role === 'host' ? digest : undefined]);
      expect(args.join(' ')).not.toContain(digest);
    }
  });

  test('the environment of an Azure host is a valid configuration with every other site as a peer', () => {
    const { env } = byName(planned(), 'azure-eastus');
    const { site, region, peers, azure, logLevel } = loadConfig('azure', env);
    expect([azure?.objectsUrl, azure?.objectsContainer]).toEqual([
      'http://127.0.0.1:10000/tandem',
      'objects',
    ]);
    expect({ site, region, logLevel }).toEqual({ site: 'azure-eastus', region: 'eastus', logLevel: 'warn' });
    expect(azure?.cosmosEndpoint).toBe('http://127.0.0.1:8081');
    expect(peers).toEqual([
      {
        site: 'aws-us-east-1',
        cloud: 'aws',
        region: 'us-east-1',
        url: 'http://127.0.0.1:3000',
        inbox: 'http://127.0.0.1:9324/000000000000/tandem-in',
        verify: 'http://127.0.0.1:9324/000000000000/tandem-verify',
        endpoint: 'http://127.0.0.1:9324',
        objectsBucket: 'tandem-objects',
        objectsEndpoint: 'http://127.0.0.1:9000',
      },
      expect.objectContaining({
        site: 'azure-westeurope',
        url: 'http://127.0.0.1:7072',
        inbox: 'tandem-in',
        verify: 'tandem-verify',
        objectsContainer: 'objects',
        objectsConnectionString: expect.stringMatching(
          /^DefaultEndpointsProtocol=http;AccountName=tandem;AccountKey=.+;BlobEndpoint=http:\/\/127\.0\.0\.1:\d+\/tandem;$/,
        ) as unknown,
      }),
    ]);
  });

  test('the environment of an AWS host is valid once the host has added its table and queues', () => {
    const { env } = byName(planned(), 'aws-us-east-1');
    const made = {
      TANDEM_TABLE: 't',
      TANDEM_OUT_URL: 'o',
      TANDEM_IN_URL: 'i',
      TANDEM_DEAD_URL: 'd',
      TANDEM_TICK_URL: 'k',
      TANDEM_VERIFY_URL: 'v',
      TANDEM_REACT_URL: 'v',
      TANDEM_OBJECTS_QUEUE_URL: 'q',
    };
    const { peers, aws } = loadConfig('aws', { ...env, ...made });
    expect([aws?.objectsBucket, env['AWS_ENDPOINT_URL_S3']]).toEqual([
      'tandem-objects',
      'http://127.0.0.1:9000',
    ]);
    expect(peers.map(({ site }) => site)).toEqual(['azure-eastus', 'azure-westeurope']);
    expect(env['AWS_ENDPOINT_URL_DYNAMODB']).toBe('http://127.0.0.1:8000');
    expect(env['AWS_ENDPOINT_URL_SQS']).toBe('http://127.0.0.1:9324');
  });

  test('what peers are told of a Service Bus is what its site uses', () => {
    const [, , other] = parseSites('aws-us-east-1,azure-eastus,azure-westeurope');
    const peers = JSON.parse(byName(planned(), 'azure-eastus').env['TANDEM_PEERS'] ?? '') as unknown[];
    const ports = defaultPorts(parseSites('aws-us-east-1,azure-eastus,azure-westeurope'));
    const connectionString = byName(planned(), 'azure-westeurope').env['SERVICE_BUS_CONNECTION'];
    expect(peers[1]).toMatchObject({ connectionString });
    expect(endpointsOf(other!, ports)['serviceBus']).toBe(connectionString);
  });

  test('a link stands in a way to a peer, a drill holds the clock and the variables of a site in its hand, and nothing else', () => {
    const links = { 'aws-us-east-1/azure-eastus': 40_001, 'azure-eastus/aws-us-east-1': 40_002 };
    const drill = {
      links: {},
      clocks: { 'azure-eastus': '/drill/azure.clock' },
      variables: { 'azure-eastus': '/drill/azure.variables' },
    };
    const plans = planned({ drill, links, inherited: { NODE_OPTIONS: '--trace-warnings' } });
    const peersOf = (site: string): unknown => JSON.parse(byName(plans, site).env['TANDEM_PEERS'] ?? '');
    expect(peersOf('aws-us-east-1')).toEqual([
      expect.objectContaining({
        connectionString: expect.stringContaining('sb://127.0.0.1:40001;'),
      }),
      expect.objectContaining({
        connectionString: expect.stringContaining('sb://127.0.0.1:5673;'),
      }),
    ]);
    expect(peersOf('azure-eastus')).toContainEqual(
      expect.objectContaining({
        inbox: 'http://127.0.0.1:40002/000000000000/tandem-in',
        endpoint: 'http://127.0.0.1:40002',
      }),
    );
    expect(byName(plans, 'azure-eastus').env).toMatchObject({
      TANDEM_CLOCK_FILE: '/drill/azure.clock',
      NODE_OPTIONS: '--trace-warnings --import=file:///project/packages/local/src/skewed-clock.ts',
    });
    expect(byName(plans, 'aws-us-east-1').env).not.toHaveProperty('TANDEM_CLOCK_FILE');
    expect(byName(plans, 'azure-eastus.emulators').env).not.toHaveProperty('TANDEM_CLOCK_FILE');
    const other = plans.filter(({ variablesFile }) => variablesFile !== undefined).map(({ name }) => name);
    expect(other).toEqual(['azure-eastus']);
  });

  test('every site has a file that holds its processes back, where a start removes it', () => {
    const held = planned().filter(({ heldBy }) => heldBy === '/stack/run/azure-eastus.hold');
    expect(held.map(({ name }) => name)).toEqual(['azure-eastus.emulators', 'azure-eastus']);
    expect(
      planned()
        .filter(({ heldBy }) => heldBy === undefined)
        .map(({ name }) => name),
    ).not.toContain('aws-us-east-1');
  });

  test('nothing of the shell that points to a cloud account reaches a process', () => {
    const inherited = {
      PATH: '/bin',
      HOME: '/home/somebody',
      AWS_PROFILE: 'production',
      AWS_SESSION_TOKEN: 'secret',
      AWS_ENDPOINT_URL: 'https://elsewhere',
      AZURE_CLIENT_SECRET: 'secret',
      COSMOS_ENDPOINT: 'https://real',
      SERVICE_BUS_NAMESPACE: 'real.servicebus.windows.net',
      ServiceBus__fullyQualifiedNamespace: 'real.servicebus.windows.net',
      TANDEM_TABLE: 'production',
    };
    for (const { env } of planned({ inherited })) {
      expect(env).toMatchObject({ PATH: '/bin', HOME: '/home/somebody' });
      expect(JSON.stringify(env)).not.toMatch(/production|secret|elsewhere|real/);
    }
  });

  test("requests to this machine do not go through the user's proxy", () => {
    for (const { env } of planned({ inherited: { HTTPS_PROXY: 'http://proxy', no_proxy: 'corp' } })) {
      expect(env['NO_PROXY']).toBe('corp,127.0.0.1,localhost');
    }
  });

  test('each site keeps its data in a folder of its own', () => {
    const [, settings] = byName(planned(), 'azure-eastus.emulators').args;
    expect(JSON.parse(settings ?? '')).toEqual({
      secrets: { ...PERSON_SECRETS, ...LOCAL_SECRETS },
      name: 'azure-eastus.emulators',
      cloud: 'azure',
      region: 'eastus',
      dataDir: '/stack/data/azure-eastus',
      secretsFile: '/project/.env',
      ports: {
        cosmos: 8081,
        'service-bus': 5672,
        'service-bus-control': 5300,
        'key-vault': 8300,
        blob: 10_000,
      },
    });
  });

  test('without data on disk a host begins anew with its emulators', () => {
    expect(byName(planned(), 'aws-us-east-1').startsAnewWith).toBeUndefined();
    const plans = planned({ dataDir: undefined });
    expect(byName(plans, 'aws-us-east-1').startsAnewWith).toBe('aws-us-east-1.emulators');
    expect(byName(plans, 'aws-us-east-1.emulators').args[1]).not.toContain('dataDir');
  });

  test('each site builds in a folder of its own, named relative to the project', () => {
    const folders = planned().map(({ env }) => env['TANDEM_BUILD_DIR']);
    expect(folders.filter((folder) => folder !== undefined)).toEqual([
      '../stack/build/aws-us-east-1',
      '../stack/build/azure-eastus',
      '../stack/build/azure-westeurope',
    ]);
  });

  test('the DNS server knows all sites and keeps its zone with the data', () => {
    const [, settings] = byName(planned(), 'dns').args;
    expect(JSON.parse(settings ?? '')).toEqual({
      port: 5353,
      controlPort: 5380,
      dataDir: '/stack/data/dns',
      sites: [
        { site: 'aws-us-east-1', port: 3000 },
        { site: 'azure-eastus', port: 7071 },
        { site: 'azure-westeurope', port: 7072 },
      ],
    });
  });

  test('the edge knows all sites, and for the shop where pictures come from and whose payments are taken', () => {
    expect(byName(planned(), 'edge').args.slice(1)).toEqual([
      ...['--port', '8080'],
      ...['--origin', 'aws-us-east-1=http://127.0.0.1:3000'],
      ...['--origin', 'azure-eastus=http://127.0.0.1:7071'],
      ...['--origin', 'azure-westeurope=http://127.0.0.1:7072'],
      ...['--pictures', 'http://127.0.0.1:9000'],
      ...['--pictures', 'http://127.0.0.1:10000'],
      ...['--pictures', 'http://127.0.0.1:10001'],
      ...['--payments', 'stripe'],
    ]);
  });
});
