/** Whom to ask: the sites of the stack on this machine, or the deployed ones that were named. */
import path from 'node:path';
import { readStack, type Stack, type StackSite } from '../local/stack/stack-file.ts';
import type { Cloud } from '../local/stack/sites.ts';
import type { StatusOptions } from './command-line.ts';

/** One site to ask. */
export interface Target {
  /** Base URL of its API. */
  readonly url: string;
  /** Its id; a deployed site is asked for it. */
  readonly site?: string;
  /** Where the stand-in of its queues tells their depths; a deployed site has none. */
  readonly queues?: { readonly cloud: Cloud; readonly url: string };
}

/** There is nobody to ask; the message says what to do. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}

/** Read anew for every refresh: processes of a stack come back. @throws TargetError when no stack runs. */
export function findTargets({ sites, stack: file }: StatusOptions): readonly Target[] {
  if (sites.length > 0) return sites.map((url) => ({ url }));
  return read(file).sites.map(targetOf);
}

function read(file: string): Stack {
  let stack: Stack | undefined;
  try {
    stack = readStack(path.basename(file) === 'stack.json' ? path.dirname(file) : file);
  } catch (cause) {
    throw new TargetError(`${file} cannot be read: ${String(cause)}`, { cause });
  }
  if (stack !== undefined) return stack;
  throw new TargetError(
    `${file} is not there, so no stack runs: start one with npm start, or name deployed sites with --site <url>`,
  );
}

function targetOf({ site, cloud, url, endpoints }: StackSite): Target {
  const queues = cloud === 'aws' ? endpoints['sqs'] : endpoints['serviceBusControl'];
  return { url, site, ...(queues !== undefined && { queues: { cloud, url: queues } }) };
}
