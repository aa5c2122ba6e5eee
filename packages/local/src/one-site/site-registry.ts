/**
 * `.tandem/sites.json`: the sites that `sls offline` has run in this folder, one process each, and the ports that each
 * of them has. A site that starts finds the others here, and they find it.
 *
 * Invariants: a port belongs to one site; the file is replaced as a whole, by one process at a time; a site that has
 * been here once stays a peer of the others, so what is written while it does not run waits for it. Only the file's
 * owner may read it: it holds the operator key of these sites.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readStack, type StackSite } from '@tandem-clouds/command-line/running-stack';
import { lockDataDir } from '@tandem-clouds/emulators/core/data-lock';
import { isAlive } from '@tandem-clouds/emulators/core/is-alive';
import { defaultPorts, type Ports, PortsTakenError, reservePorts } from '../ports.ts';
import { DEFAULT_SITES, parseSites, type Service, SERVICES, type SiteName } from '../stack/sites.ts';

const VERSION = 1;
const OWNER_ONLY = 0o600;
/** Another site changes the file within milliseconds; it looks for free ports meanwhile. */
const LOCKED_WITHIN_MS = 10_000;
const LOCK_POLL_MS = 50;

export interface RegisteredSite extends SiteName {
  /** As in `Ports`: `<site>` for the functions, `<site>.<service>` for an emulator. */
  readonly ports: Readonly<Record<string, number>>;
  /** Of the process that runs it; null while nothing does. */
  readonly pid: number | null;
}

export interface SiteRegistry {
  readonly version: typeof VERSION;
  /** What an operator presents to each of these sites. */
  readonly operatorKey: string;
  readonly sites: readonly RegisteredSite[];
}

/** The site runs already, here or as a part of a stack. */
export class SiteRunsError extends Error {
  override readonly name = 'SiteRunsError';
}

const fileIn = (dir: string): string => path.join(dir, 'sites.json');

/**
 * What has run in a folder; undefined when nothing has.
 * @throws Error naming the file when it is damaged.
 */
export function readSites(dir: string): SiteRegistry | undefined {
  const file = fileIn(dir);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const registry = JSON.parse(text) as SiteRegistry;
    if (Array.isArray(registry.sites) && typeof registry.operatorKey === 'string') return registry;
  } catch {
    // Reported below, with what to do.
  }
  throw new Error(
    `${file} is damaged; remove it: the data stays, the sites choose their ports and the operator key again`,
  );
}

/** True while the process of a site lives. */
export function runs({ pid }: Pick<RegisteredSite, 'pid'>): boolean {
  return pid !== null && isAlive(pid);
}

/**
 * The sites of a folder, if one of that name runs among them: those of `sls offline`, or those of `npm start`.
 * Undefined when it does not run.
 */
export function sitesWithRunning(dir: string, { site }: SiteName): SiteRegistry | undefined {
  const registry = readSites(dir);
  const own = registry?.sites.find((entry) => entry.site === site);
  if (own !== undefined && runs(own)) return registry;
  const stack = readStack(dir);
  if (stack === undefined || !runs(stack) || !stack.sites.some((entry) => entry.site === site))
    return undefined;
  return {
    version: VERSION,
    operatorKey: stack.operatorKey,
    sites: stack.sites.map((entry) => ({
      site: entry.site,
      cloud: entry.cloud,
      region: entry.region,
      ports: portsOfStack(entry),
      pid: stack.pid,
    })),
  };
}

/** The names of a stack's endpoints, by those of its ports. */
const ENDPOINTS: Readonly<Record<Service, string>> = {
  dynamodb: 'dynamodb',
  sqs: 'sqs',
  'secrets-manager': 'secretsManager',
  s3: 's3',
  cosmos: 'cosmos',
  'service-bus': 'serviceBus',
  'service-bus-control': 'serviceBusControl',
  'key-vault': 'keyVault',
  blob: 'blob',
};

function portsOfStack({ site, cloud, url, endpoints }: StackSite): Record<string, number> {
  const services = SERVICES[cloud].map((service) => [
    `${site}.${service}`,
    endpoints[ENDPOINTS[service]] ?? '',
  ]);
  return Object.fromEntries(
    [[site, url], ...services].map(([name = '', address = '']) => [name, portIn(address)]),
  );
}

/** Of a URL or a connection string. */
function portIn(address: string): number {
  return Number(/^(?:Endpoint=)?\w+:\/\/[^:/]+:(\d+)/.exec(address)?.[1]);
}

/** The ports of all sites together. */
export function portsOf(sites: readonly RegisteredSite[]): Ports {
  return new Map(sites.flatMap(({ ports }) => Object.entries(ports)));
}

/**
 * Enters a site as running in this process. Its ports stay those of its last run unless something else has taken one;
 * when no site of the other cloud is known, the default one gets an entry and ports, so that it is a peer from the
 * first write on.
 * @param httpPort Of the functions, where the user says so; 0 is any free one.
 * @throws SiteRunsError when another living process runs the site.
 */
export async function enterSite(dir: string, site: SiteName, httpPort?: number): Promise<SiteRegistry> {
  return await change(dir, async (before) => {
    refuseSecond(dir, site, before);
    const others = before.sites.filter((other) => other.site !== site.site);
    const known = before.sites.find((other) => other.site === site.site);
    const own = await choosePorts(site, others, { known, httpPort });
    const entered = [...others, { ...site, ports: own, pid: process.pid }];
    const missing = parseSites(DEFAULT_SITES).find(
      ({ cloud }) => !entered.some((other) => other.cloud === cloud),
    );
    if (missing === undefined) return { ...before, sites: entered };
    const ports = await choosePorts(missing, entered, {});
    return { ...before, sites: [...entered, { ...missing, ports, pid: null }] };
  });
}

/** The site of this process has ended; what the others know of it stays. */
export async function leaveSite(dir: string, { site }: SiteName): Promise<void> {
  await change(dir, (before) =>
    Promise.resolve({
      ...before,
      sites: before.sites.map((entry) =>
        entry.site === site && entry.pid === process.pid ? { ...entry, pid: null } : entry,
      ),
    }),
  );
}

function refuseSecond(dir: string, { site }: SiteName, { sites }: SiteRegistry): void {
  const known = sites.find((other) => other.site === site);
  if (known !== undefined && known.pid !== process.pid && runs(known)) {
    throw new SiteRunsError(
      `${site} runs already, in process ${known.pid}; end that first, or if it is something else, remove ${fileIn(dir)}`,
    );
  }
  const stack = readStack(dir);
  if (stack !== undefined && runs(stack) && stack.sites.some((other) => other.site === site)) {
    throw new SiteRunsError(`${site} runs already, as a part of npm start (process ${stack.pid})`);
  }
}

interface Wishes {
  readonly known?: RegisteredSite | undefined;
  readonly httpPort?: number | undefined;
}

/** Free ports: those of the last run or the well-known ones, and any others in place of those that are taken. */
async function choosePorts(
  site: SiteName,
  others: readonly RegisteredSite[],
  { known, httpPort }: Wishes,
): Promise<Record<string, number>> {
  const reserved = new Set(portsOf(others).values());
  const names = defaultPorts([site]);
  const wanted = new Map<string, number>();
  for (const [name, wellKnown] of names) {
    if (name !== site.site && !name.startsWith(`${site.site}.`)) continue;
    const port = known?.ports[name] ?? wellKnown;
    wanted.set(name, reserved.has(port) ? 0 : port);
  }
  if (httpPort !== undefined) wanted.set(site.site, httpPort);
  for (;;) {
    try {
      return Object.fromEntries(await reservePorts(wanted));
    } catch (error) {
      if (!(error instanceof PortsTakenError)) throw error;
      for (const { name, port } of error.taken) {
        // An explicit choice is the user's to change.
        if (port === httpPort) {
          throw new Error(`port ${port}, chosen for the functions of ${site.site}, is taken`, {
            cause: error,
          });
        }
        wanted.set(name, 0);
      }
    }
  }
}

async function change(
  dir: string,
  update: (before: SiteRegistry) => Promise<SiteRegistry>,
): Promise<SiteRegistry> {
  const unlock = await lock(path.join(dir, 'sites'));
  try {
    const before = readSites(dir) ?? {
      version: VERSION,
      operatorKey: randomBytes(32).toString('base64url'),
      sites: [],
    };
    const { sites, ...rest } = await update(before);
    // In an order of its own: peers must not look changed because a site has come back.
    const after = { ...rest, sites: sites.toSorted((a, b) => (a.site < b.site ? -1 : 1)) };
    const next = `${fileIn(dir)}.next`;
    fs.rmSync(next, { force: true });
    fs.writeFileSync(next, `${JSON.stringify(after, null, 2)}\n`, { mode: OWNER_ONLY });
    fs.renameSync(next, fileIn(dir));
    return after;
  } finally {
    unlock();
  }
}

async function lock(folder: string): Promise<() => void> {
  const deadline = Date.now() + LOCKED_WITHIN_MS;
  for (;;) {
    try {
      return lockDataDir(folder);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(LOCK_POLL_MS);
    }
  }
}
