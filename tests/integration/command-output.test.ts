/** What a command could not write, to the screen or to a file, is reported and is a failure; a closed pipe is neither. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DnsServer, startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { readPolicy } from '../../dns/policy/read-policy.ts';
import { recordsOf } from '../../dns/policy/records.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const FULL = '/dev/full';
const onLinux = fs.existsSync(FULL) ? it : it.skip;

const COMMANDS = [
  ['scripts/tandem.ts', '--help'],
  ['scripts/tandem.ts', 'dns', '--help'],
  ['scripts/tandem.ts', 'monitor', '--help'],
  ['scripts/tandem.ts', 'cost'],
  ['scripts/tandem.ts', 'completion', 'bash'],
  ['scripts/start.ts', '--help'],
  ['scripts/tandem.ts', 'azure-template'],
];

let dir: string;
let server: DnsServer;
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-output-'));
  const policy = readPolicy(path.join(ROOT, 'dns/local.policy.yml'));
  const sites = Object.fromEntries(
    Object.entries(policy.sites).map(([site, { url: _, ...one }]) => [site, one]),
  );
  server = await startDnsServer({
    zone: { zone: policy.zone, records: recordsOf({ ...policy, sites, healthCheck: false }) },
  });
});
afterAll(async () => {
  await server.close();
  fs.rmSync(dir, { recursive: true });
});

const env = () => ({ ...process.env, TANDEM_DNS_CONTROL: server.controlUrl });
/** Not `spawnSync`: the server of the zone answers in this process. */
async function ended(
  command: string,
  args: readonly string[],
): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(command, args, { cwd: ROOT, env: env(), stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const status = await new Promise<number | null>((resolve) => void child.once('close', resolve));
  return { status, stderr };
}
const inShell = async (script: string) => ended('bash', ['-c', script]);
const dns = (...args: string[]) => ['scripts/tandem.ts', 'dns', ...args, '--policy', policyFile()];

/** The same zone, without the checks of sites that do not run. */
function policyFile(): string {
  const file = path.join(dir, 'policy.yml');
  const text = fs.readFileSync(path.join(ROOT, 'dns/local.policy.yml'), 'utf8');
  fs.writeFileSync(
    file,
    text.replace(/healthCheck: .*/, 'healthCheck: false').replaceAll(/^ {4}url: .*\n/gm, ''),
  );
  return file;
}

describe.each(COMMANDS.map((command) => [command.join(' '), command] as const))('%s', (_title, command) => {
  onLinux('onto a full disk is reported, with a status that is not 0', () => {
    const out = fs.openSync(FULL, 'w');
    const { status, stderr } = spawnSync(process.execPath, command, {
      cwd: ROOT,
      stdio: ['ignore', out, 'pipe'],
    });
    fs.closeSync(out);
    expect(status).toBe(1);
    expect(String(stderr)).toContain('standard output could not be written: ENOSPC');
    expect(String(stderr)).not.toMatch(/^ +at /m);
  });

  it('for a reader that has gone is quiet', async () => {
    const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    const status = await new Promise((resolve) => void child.once('close', resolve));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

onLinux('a file that took a part of the output is a failure', async () => {
  const file = path.join(dir, 'short');
  const { status, stderr } = await inShell(
    `ulimit -f 1; trap '' XFSZ; '${process.execPath}' scripts/tandem.ts --help > '${file}'`,
  );
  expect({ status, bytes: fs.statSync(file).size }).toEqual({ status: 1, bytes: 1_024 });
  expect(stderr).toContain('standard output could not be written: EFBIG');
});

onLinux('a dump onto a full disk is a failure, and one onto a disk with room is whole', async () => {
  const [script, ...args] = dns('dump');
  const command = [process.execPath, script, ...args].map((word) => `'${word}'`).join(' ');
  expect((await inShell(`${command} > ${FULL}`)).status).toBe(1);
  const file = path.join(dir, 'dump.yml');
  expect((await inShell(`${command} > '${file}'`)).status).toBe(0);
  expect(readPolicy(file).zone).toBe('tandem.test');
});

describe('a file that is named', () => {
  it.each(['/proc/x/y', '/dev/null/x'])(
    '%s: a plan that cannot be written there is a failure',
    async (file) => {
      const { status, stderr } = await ended(process.execPath, dns('plan', '--out', file));
      expect(status).toBe(1);
      expect(stderr).toContain(`${file} could not be written`);
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );

  it.each(['/proc/x/y', '/dev/null/x'])(
    '%s: traffic does not move when its timeline could not be kept',
    async (file) => {
      const before = await (await fetch(`${server.controlUrl}/v1/zone`)).text();
      const { status, stderr } = await ended(
        process.execPath,
        dns('failover', 'azure-eastus', '--timeline', file),
      );
      expect(status).toBe(1);
      expect(stderr).toContain(`${file} could not be written`);
      expect(await (await fetch(`${server.controlUrl}/v1/zone`)).text()).toBe(before);
    },
  );

  it('that is no plan is a wrong command line', async () => {
    const { status, stderr } = await ended(process.execPath, dns('apply', '--plan', dir));
    expect(status).toBe(2);
    expect(stderr).toContain('is not a plan');
  });

  it('of a drill is tried before anything starts', async () => {
    const { status, stderr } = await ended(process.execPath, [
      'scripts/tandem.ts',
      'drill',
      'aws-lost',
      '--out',
      '/proc/x/y',
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('/proc/x/y could not be written');
  });

  it('of a chaos run is tried before anything starts', async () => {
    const { status, stderr } = await ended(process.execPath, [
      'scripts/tandem.ts',
      'chaos',
      '--json',
      '/dev/null/x',
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('/dev/null/x could not be written');
  });
});
