/**
 * The package of the emulators as somebody else has it: packed by npm and installed into an empty folder, beside the SDKs
 * and test runners that its examples use. The registry is needed; the folder is made anew each time, because what is
 * tried is the installation.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PEERS, type Program, Unavailable } from './peer.ts';

const PACKAGE = path.join(import.meta.dirname, '../../../emulators');
const FOLDER = path.join(PEERS, 'emulators-package');
/** What a user brings; the versions are the newest. */
const BROUGHT = [
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/client-sqs',
  '@azure/cosmos',
  '@azure/service-bus',
  'vitest',
  'jest',
  '@jest/globals',
];

export const emulatorsPackage: Program = {
  name: 'emulators, packed and installed into an empty folder',
  suite: 'emulators-package.peer.ts',
  variable: 'TANDEM_PEER_EMULATORS_PACKAGE',

  install() {
    fs.rmSync(FOLDER, { recursive: true, force: true });
    fs.mkdirSync(FOLDER, { recursive: true });
    // A failure here is one of the package, not of the registry.
    const tarball = path.join(FOLDER, npm(PACKAGE, 'pack', '--silent', '--pack-destination', FOLDER).trim());
    // Without it npm would install into the project.
    fs.writeFileSync(path.join(FOLDER, 'package.json'), '{ "private": true }\n');
    console.log('installing the packed emulators, SDKs and test runners into .peers/emulators-package/');
    try {
      npm(FOLDER, 'install', '--no-audit', '--no-fund', tarball, ...BROUGHT);
    } catch (error) {
      if (!isRegistryAway(error)) throw error;
      throw new Unavailable('the registry of npm cannot be reached', { cause: error });
    }
    return FOLDER;
  },
};

/** @throws Error with what npm says. */
function npm(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`npm ${args[0] ?? ''}: ${error?.message ?? stderr}`);
}

/** https://docs.npmjs.com/common-errors and the codes of Node's network errors. */
function isRegistryAway(error: unknown): boolean {
  return /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|E40[13]|E5\d\d)\b/.test(
    String(error),
  );
}
