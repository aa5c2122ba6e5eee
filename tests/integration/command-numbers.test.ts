/** The commands as processes: a text that is no number is refused by name, before anything is done. */
import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');

/** What a shell makes of a variable that is not set, and other texts that `Number` takes. */
const WRONG = ['', ' ', '0x32', '1e2'];

interface Case {
  readonly script: string;
  /** The text that is no number is in the place of `?`. */
  readonly args: readonly string[];
  /** What the message has to name. */
  readonly named: string;
}

const of = (script: string, args: string, named = /--[a-z-]+(?==\?)/.exec(args)?.[0] ?? ''): Case => ({
  script,
  args: args.split(' '),
  named,
});

const CASES: readonly Case[] = [
  of('dns/main.ts', 'shift aws-us-east-1 ? --policy dns/local.policy.yml', 'percent'),
  of('scripts/tandem.ts', 'conflicts list --limit=?'),
  of('scripts/tandem.ts', 'dlq replay --all --at=aws-us-east-1 --rate=?'),
  of('scripts/rollout.ts', '--local --clients=?'),
  of('scripts/rollout.ts', '--local --seed=?'),
  of('scripts/drill.ts', 'aws-lost --duration=?'),
  of('scripts/drill.ts', 'aws-lost --clients=?'),
  of('scripts/drill.ts', 'aws-lost --seed=?'),
  of('scripts/chaos.ts', '--seed=?'),
  of('scripts/chaos.ts', '--writes=?'),
  of('scripts/chaos.ts', '--rate=?'),
  of('scripts/chaos.ts', '--minutes=?'),
  of('scripts/simulate.ts', '--schedules=?'),
  of('scripts/simulate.ts', '--seed=?'),
  of('scripts/simulate.ts', '--sites=?'),
  of('scripts/simulate.ts', '--threads=?'),
  of('scripts/cost.ts', '--requests=?'),
  of('scripts/cost.ts', '--stored-gb=?'),
  of('scripts/local/start.ts', '--port=edge=?', '--port'),
  of('scripts/local/edge/main.ts', '--port=?'),
  of('scripts/local/issuer/main.ts', '--port=?'),
  of('scripts/bench/lag.ts', '--rate=?'),
  of('scripts/bench/http.ts', '--rounds=?'),
  of('scripts/bench/dns.ts', '--ms=?'),
  of('scripts/bench/plan.ts', '--names=?'),
  of('scripts/bench/bridge.ts', '--events=?'),
  of('scripts/bench/bundle.ts', '--runs=?'),
  of('scripts/bench/compare.ts', '--records=?'),
  of('scripts/bench/cost.ts', '--writes=?'),
];

async function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { cwd: ROOT, timeout: 30_000, env: { ...process.env, ...env } };
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

describe('a command with a number that is none', () => {
  it.each(CASES)('$script $args ends with status 2 and the name of it', async ({ script, args, named }) => {
    // One of them by itself; the reader has a test of its own for every form.
    const wrong = WRONG[CASES.findIndex((one) => one.args === args) % WRONG.length] ?? '';
    const { code, stdout, stderr } = await run(
      script,
      args.map((arg) => arg.replace('?', wrong)),
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.each(['monitor', 'runbook'])('%s names the variable', async (which) => {
    for (const wrong of WRONG.slice(1)) {
      const env = { TANDEM_MONITOR_INTERVAL_SECONDS: wrong };
      const { code, stderr } = await run('dns/monitor/main.ts', [which], env);
      expect(code).toBe(2);
      expect(stderr).toContain('TANDEM_MONITOR_INTERVAL_SECONDS');
    }
  });
});
