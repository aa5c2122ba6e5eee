/** The commands as processes: a text that is no number is refused by name, before anything is done. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

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
  of('scripts/tandem.ts', 'dns shift aws-us-east-1 ? --policy dns/local.policy.yml', 'percent'),
  of('scripts/tandem.ts', 'conflicts list --limit=?'),
  of('scripts/tandem.ts', 'dlq replay --all --at=aws-us-east-1 --rate=?'),
  of('scripts/tandem.ts', 'rollout --local --clients=?'),
  of('scripts/tandem.ts', 'rollout --local --seed=?'),
  of('scripts/tandem.ts', 'drill aws-lost --duration=?'),
  of('scripts/tandem.ts', 'drill aws-lost --clients=?'),
  of('scripts/tandem.ts', 'drill aws-lost --seed=?'),
  of('scripts/tandem.ts', 'chaos --seed=?'),
  of('scripts/tandem.ts', 'chaos --writes=?'),
  of('scripts/tandem.ts', 'chaos --rate=?'),
  of('scripts/tandem.ts', 'chaos --minutes=?'),
  of('scripts/tandem.ts', 'simulate --schedules=?'),
  of('scripts/tandem.ts', 'simulate --seed=?'),
  of('scripts/tandem.ts', 'simulate --sites=?'),
  of('scripts/tandem.ts', 'simulate --threads=?'),
  of('scripts/tandem.ts', 'cost --requests=?'),
  of('scripts/tandem.ts', 'cost --stored-gb=?'),
  of('scripts/start.ts', '--port=edge=?', '--port'),
  of('packages/local/src/processes/edge-main.ts', '--port=?'),
  of('packages/local/src/processes/oidc-main.ts', '--port=?'),
  of('scripts/tandem.ts', 'bench lag --rate=?'),
  of('scripts/tandem.ts', 'bench http --rounds=?'),
  of('scripts/tandem.ts', 'bench dns --ms=?'),
  of('scripts/tandem.ts', 'bench plan --names=?'),
  of('scripts/tandem.ts', 'bench bridge --events=?'),
  of('scripts/tandem.ts', 'bench bundle --runs=?'),
  of('scripts/tandem.ts', 'bench compare --records=?'),
  of('scripts/tandem.ts', 'bench cost --writes=?'),
];

async function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { cwd: ROOT, timeout: 120_000, env: { ...process.env, ...env } };
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
      const { code, stderr } = await run('scripts/tandem.ts', [which], env);
      expect(code).toBe(2);
      expect(stderr).toContain('TANDEM_MONITOR_INTERVAL_SECONDS');
    }
  });
});
