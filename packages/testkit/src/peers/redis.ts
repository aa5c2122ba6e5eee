/** Redis: Debian's. No server of the machine's: its suite starts one of its own, on a free port, without a file on disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { unpackPackage } from './debian.ts';
import { freePort, PEERS, type Program, Unavailable } from './peer.ts';

/** The server, which Debian keeps among its tools, and what it is linked with. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'];
const START_MS = 20_000;

export const redis: Program = {
  name: 'Redis (the cache beside the store)',
  suite: 'redis.peer.ts',
  variable: 'TANDEM_PEER_REDIS',

  /** Returns the program. */
  install() {
    const installed = (process.env['PATH'] ?? '')
      .split(path.delimiter)
      .map((folder) => path.join(folder, 'redis-server'))
      .find((file) => fs.existsSync(file));
    if (installed !== undefined) return installed;
    const folder = path.join(PEERS, 'redis');
    const own = path.join(folder, 'usr/bin/redis-server');
    if (!fs.existsSync(own)) for (const name of PACKAGES) unpackPackage(name, folder);
    if (!fs.existsSync(own)) throw new Unavailable("Debian's package redis-server has no redis-server");
    return own;
  },
};

export interface RedisServer {
  /** `redis://127.0.0.1:…` */
  readonly url: string;
  /** Stands still, with its connections open, until it is resumed. */
  freeze(): void;
  resume(): void;
  /** Ends it, with all that it has. */
  stop(): Promise<void>;
  /** Again, on the same port. */
  start(): Promise<void>;
}

/** @param options Lines of its configuration: `--maxmemory`, `1mb`. @throws Error when it does not start */
export async function startRedis(program: string, options: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const libraries = path.join(path.dirname(program), '../lib');
  const linked = fs.existsSync(libraries)
    ? fs.readdirSync(libraries).map((name) => path.join(libraries, name))
    : [];
  const env = { ...process.env, ...(linked.length > 0 && { LD_LIBRARY_PATH: linked.join(':') }) };
  let running: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const server = spawn(program, [...args, ...options], { env, stdio: 'ignore' });
    running = server;
    const deadline = performance.now() + START_MS;
    while (!(await takes(port))) {
      if (server.exitCode !== null || performance.now() > deadline) throw new Error('Redis did not start');
      await delay(20);
    }
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void running?.kill('SIGSTOP'),
    resume: () => void running?.kill('SIGCONT'),
    start,
    async stop() {
      const server = running;
      if (server?.exitCode !== null || server.signalCode !== null) return;
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    },
  };
}

/** Whether it answers: `PING` inline, as its protocol has it. */
async function takes(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
