/**
 * `stack.json`: what runs right now, for tools (console, drills, benchmarks) and for people.
 *
 * Invariant: the file is replaced as a whole, so a reader never sees half of it, and it is there only while the
 * supervisor lives, unless that was killed. Only its owner may read it: it holds the stack's operator key.
 */
import fs from 'node:fs';
import path from 'node:path';
import { replaceFile } from '@tandem-clouds/emulators/core/files';
import type { RunEntry } from '../run-registry.ts';
import { endpointsOf, urlOf, type ProcessPlan } from './topology.ts';
import type { Ports } from '../ports.ts';
import type { Cloud, SiteName } from './sites.ts';

const FILE = 'stack.json';
const VERSION = 1;
const OWNER_ONLY = 0o600;

export interface StackSite {
  readonly site: string;
  readonly cloud: Cloud;
  readonly region: string;
  /** Base URL of the site's functions. */
  readonly url: string;
  /** Process ids; null while a process is between two lives. */
  readonly pid: number | null;
  readonly bridgePid: number | null;
  readonly standInsPid: number | null;
  /** True when the functions and the bridge serve. */
  readonly ready: boolean;
  /** AWS: `dynamodb`, `sqs`. Azure: `cosmos`, `serviceBus` (a connection string), `serviceBusControl`. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Where the fault hooks of each service are (control.ts): `dynamodb`, `sqs`; `cosmos`, `serviceBus`. */
  readonly faults: Readonly<Record<string, string>>;
}

export interface StackDns {
  /** UDP and TCP, on 127.0.0.1. */
  readonly port: number;
  /** Base URL of the control interface (packages/emulators/src/dns/control.ts). */
  readonly controlUrl: string;
  readonly pid: number | null;
}

export interface Stack {
  readonly version: typeof VERSION;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Of the supervisor. */
  readonly pid: number;
  readonly ephemeral: boolean;
  /** What an operator presents to the sites of this stack. A secret, and the reason for the file's mode. */
  readonly operatorKey: string;
  readonly edge: { readonly url: string; readonly pid: number | null };
  readonly dns: StackDns;
  /** Gives tokens; absent when records are for everybody. */
  readonly issuer?: { readonly url: string; readonly pid: number | null };
  readonly sites: readonly StackSite[];
}

/** What is asked of a kept process. */
export interface KeptProcess {
  readonly plan: Pick<ProcessPlan, 'name'>;
  readonly pid: number | undefined;
  readonly ready: boolean;
  announced(name: string): RunEntry | undefined;
}

export interface StackInput {
  readonly sites: readonly SiteName[];
  readonly ports: Ports;
  readonly keepers: readonly KeptProcess[];
  readonly startedAt: Date;
  readonly pid: number;
  readonly ephemeral: boolean;
  readonly operatorKey: string;
}

/** What the file says. */
export function describeStack(input: StackInput): Stack {
  const { sites, ports, startedAt, pid, ephemeral, operatorKey } = input;
  return {
    version: VERSION,
    startedAt: startedAt.toISOString(),
    pid,
    ephemeral,
    operatorKey,
    edge: { url: urlOf(ports, 'edge'), pid: kept(input, 'edge')?.pid ?? null },
    dns: {
      port: ports.get('dns') ?? 0,
      controlUrl: urlOf(ports, 'dns.control'),
      pid: kept(input, 'dns')?.pid ?? null,
    },
    ...(ports.has('issuer') && {
      issuer: { url: urlOf(ports, 'issuer'), pid: kept(input, 'issuer')?.pid ?? null },
    }),
    sites: sites.map((site) => describeSite(site, input)),
  };
}

function describeSite(site: SiteName, input: StackInput): StackSite {
  const host = kept(input, site.site);
  const standIns = kept(input, `${site.site}.stand-ins`);
  const announced = standIns?.announced(`${site.site}.stand-ins`)?.urls ?? {};
  const faults = Object.entries(announced)
    .filter(([purpose]) => purpose.endsWith('.faults'))
    .map(([purpose, url]) => [purpose.slice(0, -'.faults'.length), url] as const);
  return {
    ...site,
    url: urlOf(input.ports, site.site),
    pid: host?.pid ?? null,
    bridgePid: host?.announced(`${site.site}.bridge`)?.pid ?? null,
    standInsPid: standIns?.pid ?? null,
    ready: host?.ready === true && standIns?.ready === true,
    endpoints: endpointsOf(site, input.ports),
    faults: Object.fromEntries(faults),
  };
}

function kept({ keepers }: StackInput, name: string): KeptProcess | undefined {
  return keepers.find(({ plan }) => plan.name === name);
}

/** The file of one stack on disk. */
export class StackFile {
  readonly #file: string;
  #last = '';

  /** @param dir The folder of `--dir`. */
  constructor(dir: string) {
    this.#file = path.join(dir, FILE);
  }

  /** Replaces the file when something has changed. @throws FileWriteError The next call tries again. */
  write(stack: Stack): void {
    const text = `${JSON.stringify(stack, null, 2)}\n`;
    if (text === this.#last) return;
    replaceFile(this.#file, text, OWNER_ONLY);
    this.#last = text;
  }

  remove(): void {
    fs.rmSync(this.#file, { force: true });
  }
}

/** A `stack.json` that is there and cannot be used: which file, why, and what to do. */
export class StackFileError extends Error {
  override readonly name = 'StackFileError';

  constructor(file: string, why: string, cause?: unknown) {
    super(`${file} is damaged (${why}); stop npm start and start it again: it writes the file anew`, {
      cause,
    });
  }
}

/** Whether a stack runs in the folder, or was killed there; the file may be damaged. */
export function hasStackFile(dir: string): boolean {
  return fs.existsSync(path.join(dir, FILE));
}

/**
 * What runs in a folder, for tools; undefined when nothing does.
 * @param place The folder, or the `stack.json` in it.
 * @throws StackFileError when the file cannot be read or does not describe a stack.
 */
export function readStack(place: string): Stack | undefined {
  const isFolder = fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? path.join(place, FILE) : place;
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StackFileError(file, error instanceof Error ? error.message : String(error), error);
  }
  const problem = problemOf(value);
  if (problem !== undefined) throw new StackFileError(file, problem);
  return value as Stack;
}

/** What every tool relies on. @returns Undefined when it is all there. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'it is not an object';
  const { version = VERSION, sites } = value as Partial<Record<keyof Stack, unknown>>;
  if (version !== VERSION) return `its version is not ${VERSION}`;
  if (!Array.isArray(sites)) return 'it lists no sites';
  const named = (site: Partial<StackSite> | null): boolean =>
    typeof site?.site === 'string' && typeof site.url === 'string';
  return sites.every(named) ? undefined : 'a site has no name or no address';
}
