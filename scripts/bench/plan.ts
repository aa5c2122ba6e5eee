/**
 * `bench plan`: how long the plan of a large zone takes, as the command, from start to exit, against octoDNS in
 * the same run. The zone is at our local DNS server, over HTTP; octoDNS reads both sides from files.
 *
 * Rounds are interleaved, so that a slow moment of the machine hits both; the median round counts. What a vendor's API
 * and its request limits add is not in it: tests/unit/dns/plan-pace.test.ts counts that for Route 53 and Cloudflare.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { Unavailable } from '@tandem-clouds/testkit/peers/peer';
import { commandLine, figure, type Findings, report } from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { parsePolicy } from '../../dns/policy/read-policy.ts';
import { recordsOf } from '../../dns/policy/records.ts';
import { namesOf, policyOf, ZONE } from './plan/fixture.ts';
import { octoDnsPlan, octoDnsSync } from './plan/octodns.ts';
import { ROOT } from './service-bundles.ts';

const SECONDS_MAX = 2;

interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Part of what a right plan says. */
  readonly reports: string;
}

/** Seconds from start to exit. @throws Error when it fails or plans something else. */
async function timed({ name, command, args, env, reports }: Contender): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = (performance.now() - startedMs) / 1_000;
  if (code !== 0 || !text.includes(reports)) throw new Error(`${name} did not plan: ${text.slice(-500)}`);
  return seconds;
}

function octoDns(
  dir: string,
  wanted: readonly string[],
  live: readonly string[],
  progress: (line: string) => void,
): Contender[] {
  try {
    return [
      {
        name: 'octoDNS',
        command: octoDnsSync(),
        args: octoDnsPlan(dir, wanted, live),
        reports: 'Creates=1, Updates=0, Deletes=0',
      },
    ];
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress(`SKIPPED: octoDNS: ${error.message}`);
    return [];
  }
}

async function measure(names: number, rounds: number, progress: (line: string) => void): Promise<Findings> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-plan-'));
  const wanted = namesOf(names);
  const live = wanted.slice(0, -1);
  const server = await startDnsServer({
    zone: { zone: ZONE, records: recordsOf(parsePolicy(policyOf(live), 'live')) },
  });
  try {
    const file = path.join(dir, 'policy.yml');
    fs.writeFileSync(file, policyOf(wanted));
    const contenders: Contender[] = [
      {
        name: 'ours',
        command: process.execPath,
        args: ['scripts/tandem.ts', 'dns', 'plan', '--policy', file],
        env: { TANDEM_DNS_CONTROL: server.controlUrl },
        reports: '1 to create, 0 to change, 0 to delete',
      },
      ...octoDns(dir, wanted, live, progress),
    ];
    progress(`${rounds} rounds of ${names} names: ${contenders.map(({ name }) => name).join(', ')}`);
    const seconds = new Map(contenders.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of contenders) seconds.get(contender.name)?.push(await timed(contender));
    }
    const of = (name: string): number => median(seconds.get(name) ?? []);
    return {
      figures: [
        figure('ours', of('ours'), 's', { below: SECONDS_MAX }),
        ...contenders
          .slice(1)
          .flatMap(({ name }) => [
            figure(name, of(name), 's'),
            figure(`ours / ${name}`, of('ours') / of(name), '×'),
          ]),
      ],
      notes: [
        `${names} weighted CNAMEs of two sites, of which one is new; from the start of the process to its exit; median round`,
        'ours asks the local DNS server over HTTP; octoDNS reads the policy and the live zone from YAML files',
        ...(contenders.length === 1 ? ['SKIPPED: there is no figure for octoDNS'] : []),
      ],
    };
  } finally {
    await server.close();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Returns the exit status. */
export async function benchPlan({
  names,
  rounds,
  json,
}: {
  readonly names: number;
  readonly rounds: number;
  readonly json: boolean;
}): Promise<number> {
  return report(
    { title: 'Plan of a large zone', json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(names, rounds, progress),
  );
}
