/** The real stack in processes of its own, on free ports and in a folder of its own. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Stack, StackSite } from '../../scripts/local/stack/stack-file.ts';
import { openStore as openCosmos } from '../../src/shared/adapters/azure/cloud.ts';
import { openStore as openDynamo } from '../../src/shared/adapters/aws/cloud.ts';
import type { Store } from '../../src/shared/ports/store.ts';
import { waitUntil } from './wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const READY_WITHIN_MS = 100_000;

export interface RunningStack {
  /** What runs right now. */
  describe(): Stack;
  /** Stops everything and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a stack and waits until every site serves. */
export async function startStack(...options: readonly string[]): Promise<RunningStack> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-stack-'));
  const args = ['scripts/local/start.ts', '--port', 'all=0', '--dir', dir, ...options];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    fs.rmSync(dir, { recursive: true, force: true });
  };
  let latest: Stack | undefined;
  const describe = (): Stack => {
    latest = JSON.parse(fs.readFileSync(path.join(dir, 'stack.json'), 'utf8')) as Stack;
    return latest;
  };
  try {
    await waitUntil('the stack is ready', () => isReady(dir, child.exitCode, describe), READY_WITHIN_MS);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${output}`, { cause: error });
  }
  return { describe, stop };
}

function isReady(dir: string, exitCode: number | null, describe: () => Stack): true | undefined {
  if (exitCode !== null) throw new Error(`npm start ended with ${exitCode}`);
  if (!fs.existsSync(path.join(dir, 'stack.json'))) return undefined;
  return describe().sites.every(({ ready }) => ready) ? true : undefined;
}

/** A site's store, through the product's own adapter. */
export function storeOf({ cloud, region, site, endpoints }: StackSite): Store {
  const base = { site, region, peers: [], logLevel: 'error' as const };
  if (cloud === 'azure') {
    return openCosmos({
      ...base,
      azure: {
        cosmosEndpoint: endpoints['cosmos'] ?? '',
        cosmosKey: Buffer.from('local').toString('base64'),
        cosmosDatabase: 'tandem',
        cosmosContainer: 'records',
        outQueue: 'tandem-out',
        deadQueue: 'tandem-dead',
      },
    });
  }
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: endpoints['dynamodb'],
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  return openDynamo({ ...base, aws: { table: 'tandem', outUrl: '', deadUrl: '', tickUrl: '' } });
}
