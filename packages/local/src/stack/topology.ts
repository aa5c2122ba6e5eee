/**
 * What runs: from the sites and their ports to processes with arguments and environment. Pure.
 *
 * Invariant: nothing in the environment of a process points outside this machine. What the user's shell says about
 * cloud accounts is left out, and everything is named explicitly.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { keyOf } from '@tandem-clouds/emulators/blob/account';
import { AUDIENCE } from '@tandem-clouds/emulators/oidc/protocol';
import { resourceManagerSettings } from '@tandem-clouds/emulators/service-bus/resource-manager';
import type { JwtIssuer, PeerConfig } from '../../../../src/shared/config/config.ts';
import { HOST, type Ports } from '../ports.ts';
import type { DnsSettings } from '../processes/dns-main.ts';
import { BACKUP, type EmulatorsSettings, OBJECTS } from '../processes/emulators-settings.ts';
import { MAIL_SECRETS, type MailSettings } from '../processes/mail-settings.ts';
import {
  LOCAL_SECRETS,
  type PaymentProviderName,
  type PaymentsSettings,
} from '../processes/payments-settings.ts';
import { DOT_ENV } from './dot-env.ts';
import type { DrillSettings } from './drill-file.ts';
import { SERVICES, type SiteName } from './sites.ts';

export interface ProcessPlan {
  /** Unique in the stack, and the name of the log: `aws-us-east-1.emulators`. */
  readonly name: string;
  /** Decides when it ends: what is in front of the sites, then the functions, then what they depend on. */
  readonly role: 'emulators' | 'host' | 'edge';
  /** Arguments of Node. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What must have been announced (run-registry.ts) before the process counts as ready. */
  readonly announces: readonly string[];
  /** Started anew when this other process dies, because it keeps nothing that this one could go on with. */
  readonly startsAnewWith?: string;
  /** Not started while this file is there; absolute. */
  readonly heldBy?: string;
  /** A JSON file of variables that stand in place of those of `env`, if it is there at a start; absolute. */
  readonly variablesFile?: string;
  /** Milliseconds after which an instance that has not announced all is killed. Default 90 s. */
  readonly readyWithinMs?: number;
}

export interface TopologyInput {
  readonly sites: readonly SiteName[];
  /** Every one of them fixed. One for `issuer` means: records are for callers with a token. */
  readonly ports: Ports;
  /** The project: where the service definitions are. Absolute. */
  readonly projectDir: string;
  /** Absolute. */
  readonly runDir: string;
  /** Where each site builds its bundles: stacks that run side by side must not share them. Absolute. */
  readonly buildDir: string;
  /** Absolute; undefined keeps data in memory. */
  readonly dataDir: string | undefined;
  /** Compiled code of earlier runs; absolute. */
  readonly cacheDir: string;
  readonly logLevel: string;
  /** SHA-256 of the stack's operator key, in hexadecimal. */
  readonly operatorDigest: string;
  /** What the supervisor was started with; cleaned before it is passed on. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly drill?: DrillSettings;
  /** The ways between the sites, as `DrillSettings.links`; a way that is not in it is direct. */
  readonly links?: DrillSettings['links'];
  /** Whose sandbox the sites take payments at. Absent: none is served. */
  readonly payments?: PaymentProviderName;
  /** Whether the sites send mail and SMS, to servers of this machine. Absent: none is served. */
  readonly mail?: true;
  /** Whether the sites send all traces, metrics and lines of their logs to a process of this machine. Absent: they send none. */
  readonly traces?: true;
  /** Base address of another collector, which they send to in place of it. */
  readonly collector?: string | undefined;
  /** Whether each site keeps its archive in the storage of a peer on the other cloud. Absent: none is kept. */
  readonly backup?: true | undefined;
  /** The stack's folder, which its console finds it by. Absent: none is served. */
  readonly consoleOf?: string;
}

/** SQS takes any account number; the emulator's default. */
const ACCOUNT = '000000000000';
/** What others send to. */
const QUEUES = { inbox: 'tandem-in', verify: 'tandem-verify' };
const DATABASE = 'tandem';
const CONTAINER = 'records';
/** The emulator accepts any base64 text. */
const COSMOS_KEY = Buffer.from('local').toString('base64');

/** The emulators take any; without some, the SDK would look for a profile and ask for an instance's role. */
const AWS_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Variables that could send a local process to a real account, or make two sites share a setting. */
const NOT_INHERITED =
  /^(AWS|AZURE|COSMOS|SERVICE_?BUS|KEY_VAULT|SECRET|TANDEM|SLS|SERVERLESS|FUNCTIONS)(_|$)|^NODE_(COMPILE_CACHE|CHANNEL_.*)$/i;

/** The base URL of a part that speaks HTTP. */
export function urlOf(ports: Ports, name: string): string {
  return `http://${HOST}:${portOf(ports, name)}`;
}

/** Every process of the stack, in the order in which they are started. */
export function planProcesses(input: TopologyInput): ProcessPlan[] {
  const { sites } = input;
  return [
    ...sites.map((site) => planEmulators(site, input)),
    ...sites.map((site) => planHost(site, input)),
    planEdge(input),
    planDns(input),
    ...(input.payments === undefined ? [] : [planPayments(input)]),
    ...(input.mail === undefined ? [] : [planMail(input)]),
    ...(input.traces === undefined ? [] : [planTraces(input)]),
    ...(input.consoleOf === undefined ? [] : [planConsole(input.consoleOf, input)]),
    ...(input.ports.has('issuer') ? [planIssuer(input)] : []),
  ];
}

/** The processes of a site that runs by itself: its emulators, and its functions by the framework's command line. */
export function planSite(
  site: SiteName,
  input: TopologyInput,
): { emulators: ProcessPlan; host: ProcessPlan } {
  // The CLI itself, not its shell wrapper: signals must reach it.
  const cli = path.join(input.projectDir, 'node_modules/serverless/bin/serverless.js');
  const args = [cli, 'offline', '-c', `serverless.${site.cloud}.yml`];
  return { emulators: planEmulators(site, input), host: { ...planHost(site, input), args } };
}

/** Where the inspectors of a site's functions and of its bridge listen; nowhere unless that is asked for. */
function inspectArgs({ site }: SiteName, ports: Ports): string[] {
  const port = ports.get(`${site}.inspect`);
  return port === undefined ? [] : [`--inspect=${HOST}:${port}`];
}

function bridgeInspectEnvironment({ site }: SiteName, ports: Ports): Record<string, string> {
  const port = ports.get(`${site}.bridge-inspect`);
  return port === undefined ? {} : { TANDEM_BRIDGE_INSPECT: `${HOST}:${port}` };
}

/** Where the emulators of one site answer; Service Bus as a connection string. */
export function endpointsOf({ site, cloud }: SiteName, ports: Ports): Record<string, string> {
  return cloud === 'aws'
    ? {
        dynamodb: urlOf(ports, `${site}.dynamodb`),
        sqs: urlOf(ports, `${site}.sqs`),
        secretsManager: urlOf(ports, `${site}.secrets-manager`),
        s3: urlOf(ports, `${site}.s3`),
      }
    : {
        cosmos: urlOf(ports, `${site}.cosmos`),
        serviceBus: connectionString(portOf(ports, `${site}.service-bus`)),
        serviceBusControl: urlOf(ports, `${site}.service-bus-control`),
        keyVault: urlOf(ports, `${site}.key-vault`),
        blob: `${urlOf(ports, `${site}.blob`)}/${OBJECTS.account}`,
      };
}

/**
 * How another site reaches this one: by links (ports) in between, which faults and drills cut. Objects are read with a key, because
 * nobody is signed in across sites here.
 */
function peerConfig({ site, cloud, region }: SiteName, ports: Ports, links: PeerLinks): PeerConfig {
  const url = urlOf(ports, site);
  const endpoints = endpointsOf({ site, cloud, region }, ports);
  const [s3, blob] = [endpoints['s3'] ?? '', endpoints['blob'] ?? ''].map((to) => through(to, links.objects));
  const port = links.queue ?? portOf(ports, cloud === 'azure' ? `${site}.service-bus` : `${site}.sqs`);
  if (cloud === 'azure') {
    const objects = {
      objectsContainer: OBJECTS.container,
      objectsConnectionString: blobConnection(blob ?? ''),
    };
    return { site, cloud, region, url, ...QUEUES, connectionString: connectionString(port), ...objects };
  }
  const endpoint = `http://${HOST}:${port}`;
  const urlOfQueue = (name: string): string => `${endpoint}/${ACCOUNT}/${name}`;
  const [inbox, verify] = [urlOfQueue(QUEUES.inbox), urlOfQueue(QUEUES.verify)];
  const objects = { objectsBucket: OBJECTS.bucket, objectsEndpoint: s3 ?? '' };
  return { site, cloud, region, url, inbox, verify, endpoint, ...objects };
}

/** The archives of other sites are beside the objects of this one. */
function withArchive(peer: PeerConfig): PeerConfig {
  if (peer.cloud === 'aws') {
    const { objectsEndpoint: backupEndpoint = '' } = peer;
    return { ...peer, backupBucket: BACKUP.bucket, backupEndpoint };
  }
  const { objectsConnectionString: backupConnectionString = '' } = peer;
  return { ...peer, backupContainer: BACKUP.container, backupConnectionString };
}

/** Of the way to the storage of a site: `a/b` is that to its queue. */
export function objectsLink(link: string): string {
  return `${link}/objects`;
}

/** Ports of what stands in between. */
interface PeerLinks {
  readonly queue: number | undefined;
  readonly objects: number | undefined;
}

/** The same address at another port. */
function through(url: string, port: number | undefined): string {
  return port === undefined ? url : url.replace(/:\d+(?=\/|$)/, `:${port}`);
}

function planEmulators({ site, cloud, region }: SiteName, input: TopologyInput): ProcessPlan {
  const { ports, dataDir, projectDir } = input;
  const name = `${site}.emulators`;
  const settings: EmulatorsSettings = {
    name,
    cloud,
    region,
    dataDir: dataDir === undefined ? undefined : path.join(dataDir, site),
    secretsFile: path.join(projectDir, DOT_ENV),
    ...secretsOfSites(input),
    ports: Object.fromEntries(
      SERVICES[cloud].map((service) => [service, portOf(ports, `${site}.${service}`)]),
    ),
  };
  return {
    name,
    role: 'emulators',
    args: [path.join(projectDir, 'packages/local/src/processes/emulators-main.ts'), JSON.stringify(settings)],
    env: commonEnvironment(input),
    announces: [name],
    heldBy: holdOf(site, input.runDir),
  };
}

function planHost(site: SiteName, input: TopologyInput): ProcessPlan {
  const { ports, sites, projectDir, logLevel, links: ways = {} } = input;
  const peers = sites
    .filter((other) => other.site !== site.site)
    .map((other) => {
      const link = `${site.site}/${other.site}`;
      const links = { queue: ways[link], objects: ways[objectsLink(link)] };
      const peer = peerConfig(other, ports, links);
      return input.backup === true && other.cloud !== site.cloud ? withArchive(peer) : peer;
    });
  return {
    name: site.site,
    role: 'host',
    args: [
      ...inspectArgs(site, ports),
      path.join(projectDir, `packages/local/src/${site.cloud}-host/site-main.ts`),
    ],
    env: {
      ...commonEnvironment(input),
      TANDEM_SITE: site.site,
      TANDEM_REGION: site.region,
      TANDEM_HTTP_PORT: String(portOf(ports, site.site)),
      TANDEM_PEERS: JSON.stringify(peers),
      TANDEM_LOG_LEVEL: logLevel,
      TANDEM_OPERATOR_KEYS: input.operatorDigest,
      ...(ports.has('issuer')
        ? { TANDEM_JWT_ISSUERS: JSON.stringify([localIssuer(ports)]) }
        : { TANDEM_TRUST_EVERYBODY: 'true' }),
      // serverless-esbuild joins it to the project's folder.
      TANDEM_BUILD_DIR: path.relative(projectDir, path.join(input.buildDir, site.site)),
      // Sites on Azure sign in too: to the queues of their peers.
      ...AWS_CREDENTIALS,
      ...(site.cloud === 'aws' ? awsEnvironment(site, ports) : azureEnvironment(site, ports)),
      ...paymentsEnvironment(input),
      ...mailEnvironment(input),
      ...smsEnvironment(site, input),
      ...sqlEnvironment(input),
      ...cacheEnvironment(site, input),
      ...tracesEnvironment(input),
      ...clockEnvironment(site, input),
      ...bridgeInspectEnvironment(site, ports),
    },
    announces: [site.site, `${site.site}.bridge`],
    // Without a data folder the tables and queues, which the host makes at its start, die with the emulators.
    ...(input.dataDir === undefined && { startsAnewWith: `${site.site}.emulators` }),
    heldBy: holdOf(site.site, input.runDir),
    ...variablesFile(site, input),
  };
}

function variablesFile({ site }: SiteName, { drill }: TopologyInput): Pick<ProcessPlan, 'variablesFile'> {
  const file = drill?.variables?.[site];
  return file === undefined ? {} : { variablesFile: file };
}

/** While this file is there, none of the site's processes that has died is started again. A start of the stack removes it. */
export function holdOf(site: string, runDir: string): string {
  return path.join(runDir, `${site}.hold`);
}

/** The functions and the bridge of a site share one clock, which a drill may move. */
function clockEnvironment({ site }: SiteName, { drill, projectDir, inherited }: TopologyInput) {
  const file = drill?.clocks[site];
  if (file === undefined) return {};
  const preload = pathToFileURL(path.join(projectDir, 'packages/local/src/skewed-clock.ts')).href;
  return {
    TANDEM_CLOCK_FILE: file,
    NODE_OPTIONS: [inherited['NODE_OPTIONS'], `--import=${preload}`].filter(Boolean).join(' '),
  };
}

function paymentsEnvironment({ payments, ports }: TopologyInput): Record<string, string> {
  if (payments === undefined) return {};
  return {
    TANDEM_PAYMENTS: payments,
    TANDEM_PAYMENTS_URL: urlOf(ports, `payments.${payments}`),
    // The shop, which every edge has at its root.
    TANDEM_PAYMENTS_RETURN_URL: `${urlOf(ports, 'edge')}/`,
  };
}

/** Whom erasures are about is hashed with it (docs/persons.md). No secret: nothing leaves this machine. */
export const PERSON_SECRETS = { 'erasure-key': 'local-key-of-thirty-two-characters' } as const;

/** What is in the vaults from the start. */
function secretsOfSites({ payments, mail }: TopologyInput): Pick<EmulatorsSettings, 'secrets'> {
  return {
    secrets: {
      ...PERSON_SECRETS,
      ...(payments !== undefined && LOCAL_SECRETS),
      ...(mail !== undefined && MAIL_SECRETS),
    },
  };
}

/** Links lead to the edge, as to the name that all sites share. */
function mailEnvironment({ mail, ports }: TopologyInput): Record<string, string> {
  if (mail === undefined) return {};
  return {
    TANDEM_MAIL_URL: `smtp://${HOST}:${portOf(ports, 'mail.smtp')}`,
    TANDEM_MAIL_FROM: 'Tandem shop <orders@shop.test>',
    TANDEM_MAIL_LINKS_URL: urlOf(ports, 'edge'),
  };
}

/** Each site sends by its own cloud. */
function smsEnvironment({ cloud }: SiteName, { mail, ports }: TopologyInput): Record<string, string> {
  if (mail === undefined) return {};
  return {
    TANDEM_SMS_FROM: '+15005550100',
    TANDEM_SMS_NAME: 'Tandem shop',
    ...(cloud === 'aws'
      ? { AWS_ENDPOINT_URL_SNS: urlOf(ports, 'mail.sns') }
      : { COMMUNICATION_SERVICES_ENDPOINT: urlOf(ports, 'mail.communication-services') }),
  };
}

/** One database for all sites, whose tables are in a schema each: the developer's own, if there is one. */
function sqlEnvironment({ inherited }: TopologyInput): Record<string, string> {
  const { TANDEM_SQL_URL: url, TANDEM_SQL_FILL: fill } = inherited;
  return {
    ...(url !== undefined && { TANDEM_SQL_URL: url }),
    ...(fill !== undefined && { TANDEM_SQL_FILL: fill }),
  };
}

/** Caches that somebody has started: one beside all stores, and of each site what purges the cache in front of it. */
function cacheEnvironment({ cloud }: SiteName, { inherited }: TopologyInput): Record<string, string> {
  const names = ['TANDEM_CACHE_URL', 'TANDEM_CDN_ZONE', 'TANDEM_CDN_ZONE_URL', ...CDN_VARIABLES[cloud]];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = inherited[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

const CDN_VARIABLES = {
  aws: ['TANDEM_CDN_DISTRIBUTION', 'AWS_ENDPOINT_URL_CLOUDFRONT'],
  azure: ['TANDEM_CDN_ENDPOINT', 'TANDEM_CDN_ENDPOINT_URL'],
} as const;

function tracesEnvironment({ traces, collector, ports }: TopologyInput): Record<string, string> {
  if (traces === undefined) return {};
  const url = collector ?? urlOf(ports, 'traces');
  return {
    TANDEM_TRACES_URL: url,
    TANDEM_TRACES_RATIO: '1',
    TANDEM_METRICS_URL: url,
    TANDEM_LOGS_URL: url,
  };
}

function awsEnvironment(site: SiteName, ports: Ports): Record<string, string> {
  const { dynamodb = '', sqs = '', secretsManager = '', s3 = '' } = endpointsOf(site, ports);
  return {
    AWS_REGION: site.region,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_ENDPOINT_URL_SQS: sqs,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager,
    AWS_ENDPOINT_URL_S3: s3,
    TANDEM_OBJECTS_BUCKET: OBJECTS.bucket,
  };
}

function azureEnvironment(site: SiteName, ports: Ports): Record<string, string> {
  const { cosmos = '', serviceBus = '', serviceBusControl = '', ...others } = endpointsOf(site, ports);
  const { keyVault = '', blob = '' } = others;
  return {
    AZURE_REGION: site.region,
    COSMOS_ENDPOINT: cosmos,
    COSMOS_KEY,
    COSMOS_DATABASE: DATABASE,
    COSMOS_CONTAINER: CONTAINER,
    SERVICE_BUS_CONNECTION: serviceBus,
    ServiceBus: serviceBus,
    SERVICE_BUS_CONTROL_URL: serviceBusControl,
    KEY_VAULT_URL: keyVault,
    TANDEM_OBJECTS_URL: blob,
    TANDEM_OBJECTS_CONTAINER: OBJECTS.container,
    ...resourceManagerSettings(urlOf(ports, `${site.site}.service-bus`)),
  };
}

function planEdge(input: TopologyInput): ProcessPlan {
  const { sites, ports, projectDir } = input;
  const origins = sites.flatMap(({ site }) => ['--origin', `${site}=${urlOf(ports, site)}`]);
  const pictures = sites.flatMap(({ site, cloud }) => [
    '--pictures',
    urlOf(ports, `${site}.${cloud === 'aws' ? 's3' : 'blob'}`),
  ]);
  return {
    name: 'edge',
    role: 'edge',
    args: [
      path.join(projectDir, 'packages/local/src/processes/edge-main.ts'),
      '--port',
      String(portOf(ports, 'edge')),
      ...origins,
      ...pictures,
      ...(input.payments === undefined ? [] : ['--payments', input.payments]),
    ],
    env: commonEnvironment(input),
    announces: ['edge'],
  };
}

function planDns(input: TopologyInput): ProcessPlan {
  const { sites, ports, projectDir, dataDir } = input;
  const settings: DnsSettings = {
    port: portOf(ports, 'dns'),
    controlPort: portOf(ports, 'dns.control'),
    dataDir: dataDir === undefined ? undefined : path.join(dataDir, 'dns'),
    sites: sites.map(({ site }) => ({ site, port: portOf(ports, site) })),
  };
  return {
    name: 'dns',
    role: 'edge',
    args: [path.join(projectDir, 'packages/local/src/processes/dns-main.ts'), JSON.stringify(settings)],
    env: commonEnvironment(input),
    announces: ['dns'],
  };
}

/** Events go to the edge, as to the name that all sites share: whichever site is up gets them. */
function planPayments(input: TopologyInput): ProcessPlan {
  const { ports, projectDir, dataDir } = input;
  const edge = urlOf(ports, 'edge');
  const settings: PaymentsSettings = {
    ports: { stripe: portOf(ports, 'payments.stripe'), paypal: portOf(ports, 'payments.paypal') },
    webhooks: { stripe: `${edge}/payments/stripe`, paypal: `${edge}/payments/paypal` },
    dataDir: dataDir === undefined ? undefined : path.join(dataDir, 'payments'),
    secretsFile: path.join(projectDir, DOT_ENV),
  };
  return {
    name: 'payments',
    role: 'emulators',
    args: [path.join(projectDir, 'packages/local/src/processes/payments-main.ts'), JSON.stringify(settings)],
    env: commonEnvironment(input),
    announces: ['payments'],
  };
}

function planMail({ ports, projectDir, sites, ...input }: TopologyInput): ProcessPlan {
  const settings: MailSettings = {
    ports: {
      smtp: portOf(ports, 'mail.smtp'),
      web: portOf(ports, 'mail.web'),
      sns: portOf(ports, 'mail.sns'),
      'communication-services': portOf(ports, 'mail.communication-services'),
    },
    regions: sites.filter(({ cloud }) => cloud === 'aws').map(({ region }) => region),
    bouncesTo: `${urlOf(ports, 'edge')}/notifications/bounces`,
    ...(ports.has('issuer') && { issuer: urlOf(ports, 'issuer') }),
    secretsFile: path.join(projectDir, DOT_ENV),
  };
  return {
    name: 'mail',
    role: 'emulators',
    args: [path.join(projectDir, 'packages/local/src/processes/mail-main.ts'), JSON.stringify(settings)],
    env: commonEnvironment(input),
    announces: ['mail'],
  };
}

/** By its path: the console knows what runs here, and nothing here knows it. */
function planConsole(dir: string, input: TopologyInput): ProcessPlan {
  const { ports, projectDir } = input;
  return {
    name: 'console',
    role: 'edge',
    args: [
      path.join(projectDir, 'packages/console/src/main.ts'),
      ...['--stack', dir, '--port', String(portOf(ports, 'console'))],
    ],
    env: commonEnvironment(input),
    announces: ['console'],
  };
}

function planTraces(input: TopologyInput): ProcessPlan {
  return {
    name: 'traces',
    role: 'edge',
    args: [
      path.join(input.projectDir, 'packages/local/src/processes/traces-main.ts'),
      ...['--port', String(portOf(input.ports, 'traces'))],
      // With the run it goes: the next one begins with none.
      ...['--file', path.join(input.runDir, 'telemetry.sqlite')],
    ],
    env: commonEnvironment(input),
    announces: ['traces'],
  };
}

function localIssuer(ports: Ports): JwtIssuer {
  return { issuer: urlOf(ports, 'issuer'), audience: AUDIENCE };
}

function planIssuer(input: TopologyInput): ProcessPlan {
  return {
    name: 'issuer',
    role: 'edge',
    args: [
      path.join(input.projectDir, 'packages/local/src/processes/oidc-main.ts'),
      '--port',
      String(portOf(input.ports, 'issuer')),
    ],
    env: commonEnvironment(input),
    announces: ['issuer'],
  };
}

/** Of every process, and of what is run to build their code. */
export function commonEnvironment({
  inherited,
  runDir,
  cacheDir,
  backup,
}: Pick<TopologyInput, 'inherited' | 'runDir' | 'cacheDir' | 'backup'>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && !NOT_INHERITED.test(name)) env[name] = value;
  }
  const noProxy = [env['NO_PROXY'] ?? env['no_proxy'], HOST, 'localhost'].filter(Boolean).join(',');
  return {
    ...env,
    TANDEM_RUN_DIR: runDir,
    // A flag of the definitions.
    ...(backup === true && { TANDEM_BACKUP: 'true' }),
    NODE_COMPILE_CACHE: inherited['NODE_COMPILE_CACHE'] ?? cacheDir,
    // The Azure SDKs would otherwise send what is meant for an emulator to the proxy of the user's network.
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}

function connectionString(port: number): string {
  return `Endpoint=sb://${HOST}:${port};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true;`;
}

/** With the key of the emulator's account. */
export function blobConnection(endpoint: string): string {
  const key = keyOf(OBJECTS.account);
  return `DefaultEndpointsProtocol=http;AccountName=${OBJECTS.account};AccountKey=${key};BlobEndpoint=${endpoint};`;
}

function portOf(ports: Ports, name: string): number {
  const port = ports.get(name);
  if (port === undefined) throw new Error(`no port was chosen for ${name}`);
  return port;
}
