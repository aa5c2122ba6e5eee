/** Whom to ask: the sites of the stack on this machine, or the deployed ones that were named. */
import path from 'node:path';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import {
  readStack,
  type Stack,
  StackFileError,
  type StackSite,
} from '@tandem-clouds/command-line/running-stack';
import { portsOf, readSites, runs } from '@tandem-clouds/local/one-site/site-registry';
import { urlOf } from '@tandem-clouds/local/stack/topology';
import { getJson } from './get-json.ts';
import { readReplication } from './read-replication.ts';

/** Where to look for sites. */
export interface Whereabouts {
  /** A `stack.json`, or the folder it is in; used when no site is named. */
  readonly stack: string;
  /** Base URLs of sites; empty: those of the stack. */
  readonly sites: readonly string[];
}

/** One site to ask. */
export interface Target {
  /** Base URL of its API. */
  readonly url: string;
  /** Its id; a deployed site is asked for it. */
  readonly site?: string;
  /** What an operator presents to it; absent when none is known. */
  readonly operatorKey?: string;
}

/** There is nobody to ask; the message says what to do. */
export class TargetError extends CommandError {
  override readonly name = 'TargetError';
}

/** Read anew for every refresh: processes of a stack come back. @throws TargetError when no stack runs. */
export function findTargets({ sites, stack: file }: Whereabouts): readonly Target[] {
  if (sites.length === 0) {
    const { sites: own, operatorKey } = read(file);
    return own.map(({ site, url }) => ({ site, url, ...(operatorKey !== undefined && { operatorKey }) }));
  }
  const operatorKey = process.env['TANDEM_OPERATOR_KEY'];
  return sites.map((url) => ({ url, ...(operatorKey !== undefined && { operatorKey }) }));
}

/**
 * The site of that name, which a deployed one is asked for; without a name the only one there is.
 * @throws TargetError that names the sites there are
 */
export async function findSite(options: Whereabouts, name: string | undefined): Promise<Target> {
  const targets = await namedTargets(options);
  const found =
    name === undefined && targets.length === 1 ? targets[0] : targets.find(({ site }) => site === name);
  if (found !== undefined) return found;
  const names = targets.map(({ site, url }) => site ?? `${url} (does not answer)`).join(', ');
  throw new TargetError(
    name === undefined ? `which site? name one with --at: ${names}` : `'${name}' is none of ${names}`,
  );
}

/** With their names, which deployed ones are asked for. @throws TargetError when no stack runs. */
export function namedTargets(options: Whereabouts): Promise<readonly Target[]> {
  return Promise.all(findTargets(options).map(withName));
}

/** A site that does not answer stays without a name. */
async function withName(target: Target): Promise<Target> {
  if (target.site !== undefined) return target;
  try {
    const { site } = readReplication(await getJson(new URL('/replication', target.url)));
    return { ...target, site };
  } catch {
    return target;
  }
}

/** Where the stack's issuer is. @throws TargetError when no stack runs, or when it has none. */
export function findIssuer({ sites, stack: file }: Whereabouts): string {
  if (sites.length > 0) throw new TargetError('the issuer of deployed sites gives tokens in its own way');
  const { issuer } = read(file);
  if (issuer !== undefined) return issuer.url;
  throw new TargetError(
    'the stack asks for no token: its records are for everybody, unless it is started with --protected',
  );
}

/** What runs on this machine; undefined when nothing does. @param file As `Whereabouts.stack`. @throws TargetError when the file is damaged */
export function localSites(file: string): LocalSites | undefined {
  const dir = path.basename(file) === 'stack.json' ? path.dirname(file) : file;
  try {
    return readStack(file) ?? sitesOfOffline(dir);
  } catch (cause) {
    if (!(cause instanceof StackFileError)) throw cause;
    throw new TargetError(cause.message, { cause });
  }
}

export interface LocalSites extends Partial<Pick<Stack, 'operatorKey' | 'issuer'>> {
  readonly sites: readonly Pick<StackSite, 'site' | 'url'>[];
}

function read(file: string): LocalSites {
  const found = localSites(file);
  if (found !== undefined) return found;
  throw new TargetError(
    `${file} is not there, so no stack runs: start one with npm start, or name deployed sites with --site <url>`,
  );
}

/** Sites that `sls offline` runs, each by itself. */
function sitesOfOffline(dir: string): LocalSites | undefined {
  const registry = readSites(dir);
  const running = registry?.sites.filter(runs) ?? [];
  if (registry === undefined || running.length === 0) return undefined;
  const ports = portsOf(running);
  const sites = running.map(({ site }) => ({ site, url: urlOf(ports, site) }));
  return { sites, operatorKey: registry.operatorKey };
}
