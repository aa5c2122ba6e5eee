/**
 * Which TCP port each part of a stack listens on. Peers know each other's addresses from the start, so every port is
 * fixed before the first process starts, also where the user leaves the choice to us.
 */
import net from 'node:net';
import { PAYMENT_PROVIDERS, type PaymentProviderName } from './processes/payments-settings.ts';
import { type Cloud, type Service, SERVICES, type SiteName } from './stack/sites.ts';

/**
 * Port by name: `edge`, `dns` (UDP and TCP), `dns.control`, `payments.stripe` and `payments.paypal` for their sandboxes, `mail.smtp` and `mail.web` for the mail server and its mailbox, `mail.sns` and `mail.communication-services` for SMS, `traces`, `console`, `issuer` (of a protected stack), `<site>` for the function
 * host, `<site>.<service>` for an emulator; where code is inspected, `<site>.inspect` and `<site>.bridge-inspect`.
 */
export type Ports = ReadonlyMap<string, number>;

export const HOST = '127.0.0.1';
/** The processes of a site that run our code. */
export const INSPECTED = ['inspect', 'bridge-inspect'] as const;
const EDGE_PORT = 8080;
const DNS_PORT = 5353;
const DNS_CONTROL_PORT = 5380;
const ISSUER_PORT = 9400;
/** As stripe-mock, and the next one. */
const PAYMENTS_PORTS: Readonly<Record<PaymentProviderName, number>> = { stripe: 12_111, paypal: 12_112 };
/** As other mail servers for developers, and another emulator of SNS. */
const MAIL_PORTS = { smtp: 1025, web: 8025, sns: 9911, 'communication-services': 9912 } as const;
/** As OTLP over HTTP has it. */
const TRACES_PORT = 4318;
const CONSOLE_PORT = 4400;
/** Of the functions of the first site of a cloud, unless another port is named. */
export const HOST_PORTS: Readonly<Record<Cloud, number>> = { aws: 3000, azure: 7071 };
const SERVICE_PORTS: Readonly<Record<Service, number>> = {
  dynamodb: 8000,
  sqs: 9324,
  'secrets-manager': 8200,
  s3: 9000,
  cosmos: 8081,
  'service-bus': 5672,
  'service-bus-control': 5300,
  'key-vault': 8300,
  blob: 10_000,
};

/**
 * Free ports are looked for below the range that systems take outgoing connections from (Linux: 32768, others:
 * 49152). Otherwise a connection made in between could take the port that was just found free.
 */
const FREE_FROM = 20_000;
const FREE_TO = 32_000;
const FREE_ATTEMPTS_MAX = 200;

export interface OptionalPorts {
  readonly withIssuer?: boolean;
  readonly withInspectors?: boolean;
}

/** The well-known ports; each further site of a cloud is one higher. Inspectors have none: any free one. */
export function defaultPorts(
  sites: readonly SiteName[],
  { withIssuer = false, withInspectors = false }: OptionalPorts = {},
): Map<string, number> {
  const ports = new Map([
    ['edge', EDGE_PORT],
    ['dns', DNS_PORT],
    ['dns.control', DNS_CONTROL_PORT],
    ...PAYMENT_PROVIDERS.map((name): [string, number] => [`payments.${name}`, PAYMENTS_PORTS[name]]),
    ...Object.entries(MAIL_PORTS).map(([name, port]): [string, number] => [`mail.${name}`, port]),
    ['traces', TRACES_PORT],
    ['console', CONSOLE_PORT],
  ]);
  if (withIssuer) ports.set('issuer', ISSUER_PORT);
  const count = { aws: 0, azure: 0 };
  for (const { site, cloud } of sites) {
    const offset = count[cloud]++;
    ports.set(site, HOST_PORTS[cloud] + offset);
    for (const service of SERVICES[cloud]) ports.set(`${site}.${service}`, SERVICE_PORTS[service] + offset);
    if (withInspectors) for (const part of INSPECTED) ports.set(`${site}.${part}`, 0);
  }
  return ports;
}

/**
 * The ports that were asked for; 0 stays 0, which `reservePorts` replaces.
 * @param chosen Values of `--port`: `edge=9090`, `aws-us-east-1.sqs=0`, `all=0`.
 * @throws RangeError naming the value that is wrong.
 */
export function choosePorts(
  sites: readonly SiteName[],
  chosen: readonly string[],
  optional: OptionalPorts = {},
): Map<string, number> {
  const ports = defaultPorts(sites, optional);
  const settings = chosen.map((text) => parsePort(text, ports));
  if (settings.some(([name]) => name === 'all')) for (const name of ports.keys()) ports.set(name, 0);
  for (const [name, port] of settings) if (name !== 'all') ports.set(name, port);
  const owners = new Map<number, string>();
  for (const [name, port] of ports) {
    const other = owners.get(port);
    if (port !== 0 && other !== undefined) {
      throw new RangeError(`${port} is wanted by both ${other} and ${name}`);
    }
    owners.set(port, name);
  }
  return ports;
}

function parsePort(text: string, known: Ports): [string, number] {
  const [, name = '', digits = ''] = /^([^=]+)=(\d{1,5})$/.exec(text) ?? [];
  if (name === '') throw new RangeError(`'${text}' is not <name>=<number>`);
  const port = Number(digits);
  if (port > 65_535) throw new RangeError(`'${text}': a port is at most 65535`);
  if (name === 'all') {
    if (port !== 0) throw new RangeError(`'${text}': only all=0 (free ports for everything) has a meaning`);
  } else if (!known.has(name)) {
    throw new RangeError(
      `'${text}': no part is called '${name}'; there are all, ${[...known.keys()].join(', ')}`,
    );
  }
  return [name, port];
}

/** The ports that another process listens on, with the names that want them. */
export class PortsTakenError extends Error {
  override readonly name = 'PortsTakenError';
  readonly taken: readonly { readonly name: string; readonly port: number }[];

  constructor(taken: readonly { readonly name: string; readonly port: number }[]) {
    const lines = taken.map(
      ({ name, port }) =>
        `port ${port}, wanted by ${describe(name)}, is taken; choose another with --port ${name}=<number> (0: any free one)`,
    );
    const hint = 'npm start -- --port all=0 picks a free one for every part; stack.json says which.';
    super([...lines, hint].join('\n'));
    this.taken = taken;
  }
}

const MAIL_PARTS: Readonly<Record<string, string>> = {
  smtp: 'the mail server',
  web: 'the mailbox',
  sns: 'SMS by SNS',
  'communication-services': 'SMS by Communication Services',
};

function describe(name: string): string {
  if (name === 'edge') return 'the edge';
  if (name === 'dns') return 'the DNS server';
  if (name === 'dns.control') return 'the control interface of the DNS server';
  if (name === 'issuer') return 'the issuer';
  if (name === 'traces') return 'what takes traces';
  if (name === 'console') return 'the console';
  const [site = '', service] = name.split('.');
  if (site === 'payments') return `the sandbox of ${service}`;
  if (site === 'mail') return MAIL_PARTS[service ?? ''] ?? name;
  if (service === 'inspect') return `the inspector of the functions of ${site}`;
  if (service === 'bridge-inspect') return `the inspector of the bridge of ${site}`;
  return service === undefined ? `the functions of ${site}` : `the ${service} emulator of ${site}`;
}

/**
 * Replaces every 0 by a free port and checks that all others are free. Nothing is held: another process can still
 * come first, and whoever listens then says so.
 * @throws PortsTakenError with all that are taken.
 */
export async function reservePorts(wanted: Ports): Promise<Ports> {
  const taken: { name: string; port: number }[] = [];
  const reserved = new Map<string, number>();
  const used = new Set(wanted.values());
  for (const [name, port] of wanted) {
    if (port === 0) reserved.set(name, await findFree(used));
    else if (await isFree(port)) reserved.set(name, port);
    else taken.push({ name, port });
  }
  if (taken.length > 0) throw new PortsTakenError(taken);
  return new Map([...wanted.keys()].map((name) => [name, reserved.get(name) ?? 0]));
}

async function findFree(used: Set<number>): Promise<number> {
  for (let attempt = 0; attempt < FREE_ATTEMPTS_MAX; attempt += 1) {
    const port = FREE_FROM + Math.floor(Math.random() * (FREE_TO - FREE_FROM));
    if (used.has(port)) continue;
    used.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${FREE_FROM} and ${FREE_TO}`);
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const server = net.createServer();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') resolve(false);
    else reject(new Error(`port ${port}: ${error.message}`, { cause: error }));
  });
  server.listen(port, HOST, () => server.close(() => resolve(true)));
  return promise;
}
