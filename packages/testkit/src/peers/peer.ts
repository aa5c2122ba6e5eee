/**
 * What `npm run test:peers` asks of each peer, and what the peers share. A server listens on loopback where it can be
 * told to, on a free port, keeps nothing, and lives for as long as its suite takes.
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where peers are installed; not in the repository. */
export const PEERS = path.join(import.meta.dirname, '../../../../.peers');
const START_MS = 60_000;
const STOP_MS = 5_000;

export interface Peer {
  readonly name: string;
  /** Its suite in `tests/peers/`. */
  readonly suite: string;
  /** The environment variable that tells the suite where the peer is: its address, or the file of a program. */
  readonly variable: string;
}

/** A peer that the suite reaches by its address. */
export interface Server extends Peer {
  /** Installs it when it is not. @throws Unavailable when it cannot run here. */
  prepare(): void;
  start(port: number): ChildProcess;
}

/** A peer that the suite starts by itself. */
export interface Program extends Peer {
  /** Installs it when it is not, and returns its file. @throws Unavailable when it cannot run here. */
  install(): string;
}

/** Why an outside program, such as a peer or a linter, cannot run here. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** True when the command exists and succeeds. */
export function succeeds(command: string, args: readonly string[], stdio: 'ignore' | 'inherit'): boolean {
  const { error, status } = spawnSync(command, args, { stdio });
  return error === undefined && status === 0;
}

/** Runs `work` with the address of the started peer, and stops it afterwards. */
export async function withPeer<T>(peer: Server, work: (endpoint: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const running = peer.start(port);
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    await untilAnswering(endpoint, running, peer.name);
    return await work(endpoint);
  } finally {
    await stop(running);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function untilAnswering(endpoint: string, running: ChildProcess, name: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && running.exitCode === null) {
    try {
      await fetch(endpoint);
      return;
    } catch {
      await delay(100);
    }
  }
  throw new Error(`${name} did not start`);
}

export async function stop(running: ChildProcess): Promise<void> {
  if (running.exitCode !== null || running.signalCode !== null) return;
  const gone = once(running, 'exit');
  running.kill('SIGTERM');
  const force = setTimeout(() => running.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(force);
}
