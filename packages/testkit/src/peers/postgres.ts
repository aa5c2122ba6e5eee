/**
 * PostgreSQL: Debian's. No server of the machine's: its suite starts a cluster of its own, in a temporary folder, as somebody
 * who is not root, which PostgreSQL refuses to be.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { needPackage } from './debian.ts';
import { freePort, type Program, succeeds, Unavailable } from './peer.ts';

/** Debian keeps each version apart, and none on the path. */
const VERSIONS = '/usr/lib/postgresql';
/** `nobody` of Debian. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const START_MS = 60_000;
const STOP_MS = 10_000;

export const postgres: Program = {
  name: 'PostgreSQL (tables)',
  suite: 'postgres.peer.ts',
  variable: 'TANDEM_PEER_POSTGRES',

  /** Returns the folder that has `initdb` and `postgres`. */
  install() {
    if (installed() === undefined) needPackage('postgresql');
    const folder = installed();
    if (folder === undefined) throw new Unavailable("Debian's package postgresql has no initdb");
    return folder;
  },
};

function installed(): string | undefined {
  const versions = fs.existsSync(VERSIONS) ? fs.readdirSync(VERSIONS) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(VERSIONS, version, 'bin'))
    .find((folder) => ['initdb', 'postgres'].every((name) => fs.existsSync(path.join(folder, name))));
}

export interface Cluster {
  /** `postgres://tandem@127.0.0.1:…/postgres` */
  readonly url: string;
  /** Ends the server, with all its connections; what it has stays. */
  stop(): Promise<void>;
  /** Again, on the same port. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** @param bin The folder of its programs. @throws Error when it does not start */
export async function startCluster(bin: string): Promise<Cluster> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-postgres-'));
  const asUser = process.getuid?.() === 0 ? NOBODY : {};
  if (asUser === NOBODY) fs.chownSync(dir, NOBODY.uid, NOBODY.gid);
  const data = path.join(dir, 'data');
  const { status, stderr } = spawnSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'tandem', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8'],
    { ...asUser, cwd: dir, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb: ${stderr}`);
  const port = await freePort();
  let running: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'timezone=UTC'];
    running = spawn(path.join(bin, 'postgres'), args, { ...asUser, cwd: dir, stdio: 'ignore' });
    const deadline = performance.now() + START_MS;
    // It listens before it takes anybody.
    while (!succeeds(path.join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], 'ignore')) {
      if (running.exitCode !== null || performance.now() > deadline)
        throw new Error('PostgreSQL did not start');
      await delay(50);
    }
  };
  const stop = async (): Promise<void> => {
    const server = running;
    if (server?.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    // "Fast": connections are ended, transactions rolled back.
    server.kill('SIGINT');
    const force = setTimeout(() => server.kill('SIGQUIT'), STOP_MS);
    await gone;
    clearTimeout(force);
  };
  await start();
  return {
    url: `postgres://tandem@127.0.0.1:${port}/postgres`,
    start,
    stop,
    async remove() {
      await stop();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}
