/**
 * Schemathesis, a fuzzer of contracts, on Python: every check of it, against both sites of a stack of its own. What it
 * sends derives from `openapi.yaml`, so it finds where the contract and the code say different things.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { Stack, StackSite } from '@tandem-clouds/command-line/running-stack';
import { withOwnStack } from '../cluster/own-stack.ts';
import { PEERS } from './peer.ts';
import { pythonWith } from './python.ts';

const ROOT = path.join(import.meta.dirname, '../../../..');
const CONFIG = path.join(ROOT, 'tests/peers/schemathesis');
const VERSION = '4.32.0';
/** Cases that are made up for each operation, beside those that derive from its schema one by one. */
const EXAMPLES = 50;

/** The programs, installed when they are not. @throws Unavailable when they cannot be. */
export function prepareSchemathesis(): string {
  return path.join(pythonWith('schemathesis', [`schemathesis==${VERSION}`]), 'st');
}

/** The sites at which something was found, with what the fuzzer says. */
export function fuzzContract(program: string): Promise<readonly string[]> {
  return withOwnStack(async (stack) => {
    const found: string[] = [];
    // One after the other: what one site has written is there for the other.
    for (const site of stack.sites) {
      const output = await fuzzSite(program, stack, site);
      if (output !== undefined) found.push(`${site.site}:\n${output}`);
    }
    return found;
  });
}

/**
 * Methods that no operation declares, which a site must answer with 405. On Azure TRACE is not among them: Microsoft's
 * worker makes no request of it, and the host answers 500 before our code runs (docs/limits.md, "Gateways and functions").
 */
const UNEXPECTED_METHODS = {
  aws: ['get', 'put', 'post', 'delete', 'options', 'patch', 'trace', 'query'],
  azure: ['get', 'put', 'post', 'delete', 'options', 'patch', 'query'],
} as const;

/** The file of settings for the sites of one cloud. */
function configFor(cloud: StackSite['cloud']): string {
  const common = fs.readFileSync(path.join(CONFIG, 'schemathesis.toml'), 'utf8');
  const file = path.join(PEERS, `schemathesis.${cloud}.toml`);
  const methods = JSON.stringify(UNEXPECTED_METHODS[cloud]);
  fs.writeFileSync(file, `${common}\n[phases.coverage]\nunexpected-methods = ${methods}\n`);
  return file;
}

/** What was found; undefined when nothing was. */
async function fuzzSite(
  program: string,
  stack: Stack,
  { url, cloud }: StackSite,
): Promise<string | undefined> {
  const args = [
    '--config-file',
    configFor(cloud),
    'run',
    path.join(ROOT, 'openapi.yaml'),
    '--url',
    url,
    '--header',
    `Authorization: Bearer ${stack.operatorKey}`,
    '--checks',
    'all',
    '--max-examples',
    String(EXAMPLES),
    '--continue-on-failure',
    '--no-color',
  ];
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: path.join(CONFIG, 'hooks.py'),
    PYTHONDONTWRITEBYTECODE: '1',
    TANDEM_SESSIONS: await sessionAt(url),
  };
  const fuzzer = spawn(program, args, {
    cwd: path.dirname(program),
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  fuzzer.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(fuzzer, 'close')) as [number | null];
  return code === 0 ? undefined : Buffer.concat(chunks).toString('utf8');
}

/** A token of the kind that the contract calls `tandem-session`. */
async function sessionAt(url: string): Promise<string> {
  const response = await fetch(new URL('/write', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"data":{}}',
  });
  return response.headers.get('x-tandem-session') ?? '';
}
