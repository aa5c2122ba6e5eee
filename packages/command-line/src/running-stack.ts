/**
 * Where the local stack that runs in a folder can be reached: its supervisor keeps `stack.json`, and every tool (console,
 * drills, benchmarks, `dns`) finds the stack by it.
 */
import fs from 'node:fs';
import path from 'node:path';

export const STACK_FILE = 'stack.json';
export const STACK_VERSION = 1;

export interface StackSite {
  readonly site: string;
  readonly cloud: 'aws' | 'azure';
  readonly region: string;
  /** Base URL of the site's functions. */
  readonly url: string;
  /** Process ids; null while a process is between two lives. */
  readonly pid: number | null;
  readonly bridgePid: number | null;
  readonly emulatorsPid: number | null;
  /** True when the functions and the bridge serve. */
  readonly ready: boolean;
  /** AWS: `dynamodb`, `sqs`. Azure: `cosmos`, `serviceBus` (a connection string), `serviceBusControl`. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Where debuggers attach, with `--inspect`. */
  readonly inspectors?: readonly { readonly part: 'functions' | 'bridge'; readonly address: string }[];
  /** Where the fault hooks of each service are (control.ts): `dynamodb`, `sqs`; `cosmos`, `serviceBus`. */
  readonly faults: Readonly<Record<string, string>>;
  /** A path. While a file is there, none of the site's processes that has died is started again. */
  readonly hold: string;
}

export interface StackDns {
  /** UDP and TCP, on 127.0.0.1. */
  readonly port: number;
  /** Base URL of the control interface (packages/emulators/src/dns/control.ts). */
  readonly controlUrl: string;
  readonly pid: number | null;
}

/** The mail server that every site sends to, and the providers of SMS, one a cloud. */
export interface StackMail {
  /** `smtp://127.0.0.1:<port>` */
  readonly smtp: string;
  /** The mailbox: for people, `/_tandem/mails` and `/_tandem/sms` for programs. */
  readonly web: string;
  /** Base URLs. */
  readonly sns: string;
  readonly communicationServices: string;
  readonly pid: number | null;
  readonly faults: Readonly<Record<string, string>>;
}

/** The sandboxes of payment providers. */
export interface StackPayments {
  /** The one that the sites take payments at. */
  readonly provider: 'stripe' | 'paypal';
  /** Base URLs. */
  readonly stripe: string;
  readonly paypal: string;
  readonly pid: number | null;
  /** Where the fault hooks of each are (control.ts). */
  readonly faults: Readonly<Record<string, string>>;
}

export interface Stack {
  readonly version: typeof STACK_VERSION;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Of the supervisor. */
  readonly pid: number;
  readonly ephemeral: boolean;
  /** What an operator presents to the sites of this stack. A secret, and the reason for the file's mode. */
  readonly operatorKey: string;
  readonly edge: { readonly url: string; readonly pid: number | null };
  readonly dns: StackDns;
  readonly payments: StackPayments;
  readonly mail: StackMail;
  /** The page that shows all of it. */
  readonly console: { readonly url: string; readonly pid: number | null };
  /** Takes the traces of every site (OTLP), and shows them below `/_tandem/traces`. */
  readonly traces: { readonly url: string; readonly pid: number | null };
  /** Where faults are imposed and lifted, with the operator key (packages/local/src/faults/local-faults.ts). */
  readonly faults: { readonly url: string };
  /** Gives tokens; absent when records are for everybody. */
  readonly issuer?: { readonly url: string; readonly pid: number | null };
  readonly sites: readonly StackSite[];
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
  return fs.existsSync(path.join(dir, STACK_FILE));
}

/**
 * What runs in a folder, for tools; undefined when nothing does.
 * @param place The folder, or the `stack.json` in it.
 * @throws StackFileError when the file cannot be read or does not describe a stack.
 */
export function readStack(place: string): Stack | undefined {
  const isFolder = fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? path.join(place, STACK_FILE) : place;
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
  const { version = STACK_VERSION, sites } = value as Partial<Record<keyof Stack, unknown>>;
  if (version !== STACK_VERSION) return `its version is not ${STACK_VERSION}`;
  if (!Array.isArray(sites)) return 'it lists no sites';
  const named = (site: Partial<StackSite> | null): boolean =>
    typeof site?.site === 'string' && typeof site.url === 'string';
  return sites.every(named) ? undefined : 'a site has no name or no address';
}
