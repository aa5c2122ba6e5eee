/**
 * `bench dns`: queries per second that the local DNS server answers over UDP, in one process, against Debian's
 * gdnsd and Knot DNS with one thread each, in the same run.
 *
 * Rounds are short and interleaved, so that a slow moment of the machine hits everybody; the median round counts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { NAME } from './dns/fixture.ts';
import type { LoadResult } from './dns/load-main.ts';
import { findPeer, type PeerName, PEERS, startPeer } from './dns/peers.ts';
import { ROOT } from './service-bundles.ts';

const QUERIES_PER_SECOND_MIN = 20_000;
const UNDER_WAY = 128;
const READY_WITHIN_MS = 10_000;

interface Contender {
  readonly name: 'ours' | PeerName;
  readonly port: number;
  readonly process: ChildProcess;
}

interface Options {
  readonly rounds: number;
  readonly ms: number;
}

async function freePort(): Promise<number> {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return port;
}

async function startOurs(): Promise<Contender> {
  const main = path.join(import.meta.dirname, 'dns/server-main.ts');
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { name: 'ours', port: Number(line.toString()), process: child };
}

/** @throws Error with what the peer said when it does not answer. */
async function startContender(peer: PeerName, dir: string): Promise<Contender> {
  const port = await freePort();
  const child = startPeer(peer, findPeer(peer, path.join(ROOT, '.peers')), path.join(dir, peer), port);
  let reported = '';
  child.stderr?.on('data', (chunk: Buffer) => (reported += chunk.toString()));
  const deadline = Date.now() + READY_WITHIN_MS;
  while ((await load(port, 50, 1)).answers === 0) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill();
      throw new Error(reported.trim().split('\n').slice(-3).join(' | ') || 'it does not answer');
    }
    await delay(100);
  }
  return { name: peer, port, process: child };
}

/** One round of load by a process of its own. */
async function load(port: number, ms: number, underWay = UNDER_WAY): Promise<LoadResult> {
  const main = path.join(import.meta.dirname, 'dns/load-main.ts');
  const args = [main, String(port), NAME, String(ms), String(underWay)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  // Nobody listens yet: the connected socket is refused.
  if (code !== 0) return { answers: 0, lost: 0, wrong: 0, ms };
  return JSON.parse(text) as LoadResult;
}

async function race(contenders: readonly Contender[], { rounds, ms }: Options): Promise<Figure[]> {
  const rates = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  let [wrong, lost] = [0, 0];
  for (const { port } of contenders) await load(port, ms);
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, port } of contenders) {
      const result = await load(port, ms);
      rates.get(name)?.push((result.answers / result.ms) * 1_000);
      if (name === 'ours') [wrong, lost] = [wrong + result.wrong, lost + result.lost];
    }
  }
  const of = (name: Contender['name']): number => median(rates.get(name) ?? []);
  return [
    figure('ours', of('ours'), 'queries/s', { atLeast: QUERIES_PER_SECOND_MIN }),
    figure('ours: wrong answers', wrong, 'answers', { exactly: 0 }),
    figure('ours: lost queries', lost, 'queries'),
    ...contenders
      .slice(1)
      .flatMap(({ name }) => [
        figure(name, of(name), 'queries/s'),
        figure(`ours / ${name}`, of('ours') / of(name), '×'),
      ]),
  ];
}

async function measure(options: Options, progress: (line: string) => void): Promise<Findings> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-dns-'));
  const contenders: Contender[] = [];
  const notes = [
    `UDP on the loopback address, one A question, ${UNDER_WAY} queries under way, one process of load; median round`,
    'ours and gdnsd choose one of two addresses by weight for each answer; Knot DNS answers both, always',
    'every server has one thread for UDP; the load shares the machine with it, and is itself a bound for fast servers',
  ];
  try {
    contenders.push(await startOurs());
    for (const peer of PEERS) {
      try {
        contenders.push(await startContender(peer, dir));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        progress(`SKIPPED: ${peer}: ${why}`);
        notes.push(`SKIPPED: there is no figure for ${peer}: ${why}`);
      }
    }
    progress(
      `${options.rounds} rounds of ${options.ms} ms: ${contenders.map(({ name }) => name).join(', ')}`,
    );
    return { figures: await race(contenders, options), notes };
  } finally {
    for (const { process: child } of contenders) child.kill();
    await Promise.all(contenders.map(({ process: child }) => ended(child)));
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Returns the exit status. */
export async function benchDns({
  json,
  ...options
}: {
  readonly rounds: number;
  readonly ms: number;
  readonly json: boolean;
}): Promise<number> {
  return report(
    {
      title: 'Local DNS server: queries per second',
      json,
      command: commandLine(process.argv, ROOT),
    },
    (progress) => measure(options, progress),
  );
}
