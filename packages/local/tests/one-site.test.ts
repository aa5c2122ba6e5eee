/** Sites that `sls offline` runs, each by itself: what they know of each other and what their processes are given. */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { findTargets } from '@tandem-clouds/operator/targets';
import type { PeerConfig } from '../../../src/shared/config/config.ts';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';
import { enterSite, leaveSite, readSites, type SiteRegistry } from '../src/one-site/site-registry.ts';
import { plansOf } from '../src/one-site/site-run.ts';
import { Output } from '../src/stack/output.ts';
import { parseSite } from '../src/stack/sites.ts';

const aws = parseSite('aws-us-east-1');
const azure = parseSite('azure-westeurope');
const later = closeAfterEach();
let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-sites-'));
  later(() => fs.rmSync(dir, { recursive: true, force: true }));
});

function entry(registry: SiteRegistry, site: string) {
  const found = registry.sites.find((one) => one.site === site);
  if (found === undefined) throw new Error(`no ${site} in the registry`);
  return found;
}

describe('the sites of a folder', () => {
  test('the first one knows the default site of the other cloud, with its ports, before that has run', async () => {
    const registry = await enterSite(dir, aws);
    expect(registry.sites.map(({ site, pid }) => [site, pid])).toEqual([
      ['aws-us-east-1', process.pid],
      ['azure-eastus', null],
    ]);
    expect(Object.keys(entry(registry, 'azure-eastus').ports)).toEqual([
      'azure-eastus',
      'azure-eastus.cosmos',
      'azure-eastus.service-bus',
      'azure-eastus.service-bus-control',
      'azure-eastus.key-vault',
      'azure-eastus.blob',
    ]);
  });

  test('no two have a port in common, also when they start at the same moment', async () => {
    await Promise.all([aws, azure, parseSite('aws-eu-west-1')].map((site) => enterSite(dir, site)));
    const ports = readSites(dir)?.sites.flatMap((site) => Object.values(site.ports)) ?? [];
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports).not.toContain(0);
  });

  test('a site keeps its ports and stays known when it has ended; a port that was taken is replaced', async () => {
    const before = await enterSite(dir, aws);
    await leaveSite(dir, aws);
    const left = readSites(dir)!;
    expect(entry(left, aws.site)).toEqual({ ...entry(before, aws.site), pid: null });
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    later(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const sites = left.sites.map((site) =>
      site.site === aws.site ? { ...site, ports: { ...site.ports, 'aws-us-east-1.sqs': port } } : site,
    );
    fs.writeFileSync(path.join(dir, 'sites.json'), JSON.stringify({ ...left, sites }));
    const { ports } = entry(await enterSite(dir, aws), aws.site);
    expect(ports['aws-us-east-1.sqs']).not.toBe(port);
    expect(ports['aws-us-east-1.dynamodb']).toBe(entry(before, aws.site).ports['aws-us-east-1.dynamodb']);
  });

  test('a port that the user chose and somebody else has is an error that names it', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    later(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    await expect(enterSite(dir, aws, port)).rejects.toThrow(`port ${port}, chosen for the functions`);
  });

  test('a damaged file is an error that names it and says what to do', async () => {
    fs.writeFileSync(path.join(dir, 'sites.json'), '{"sites":');
    await expect(enterSite(dir, aws)).rejects.toThrow(/sites\.json is damaged; remove it/);
  });

  test('npm run tandem asks those that run, with their operator key', async () => {
    const { operatorKey, sites } = await enterSite(dir, aws);
    const options = { sites: [], stack: path.join(dir, 'stack.json'), json: false };
    const url = `http://127.0.0.1:${sites[0]?.ports['aws-us-east-1']}`;
    expect(findTargets(options)).toEqual([{ site: aws.site, url, operatorKey }]);
    await leaveSite(dir, aws);
    expect(() => findTargets(options)).toThrow('no stack runs');
  });

  test('only the owner of the file can read the operator key', async () => {
    await enterSite(dir, aws);
    expect(fs.statSync(path.join(dir, 'sites.json')).mode & 0o777).toBe(0o600);
  });
});

describe('the processes of one site', () => {
  const output = new Output({ write: () => undefined, verbose: false, colour: false });
  const given = (declared: Record<string, string> = {}, inherited: Record<string, string> = {}) => ({
    projectDir: '/project',
    site: aws,
    declared: { TANDEM_PEERS: '[]', TANDEM_OPERATOR_KEYS: '', ...declared },
    inherited,
    functions: ['offline', '-c', 'serverless.aws.yml', '--stage', 'try'],
    output,
  });

  test('get nothing of what the user is signed in with, and addresses of this machine only', async () => {
    const registry = await enterSite(dir, aws);
    const { emulators, host } = plansOf(
      given({}, { AWS_PROFILE: 'production', AWS_SESSION_TOKEN: 'secret', AZURE_CLIENT_SECRET: 'secret' }),
      registry,
    );
    const text = JSON.stringify([emulators.env, host.env]);
    expect(text).not.toMatch(/production|secret|amazonaws|azure\.com/);
    expect(host.env['AWS_ENDPOINT_URL_DYNAMODB']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(host.args.slice(1)).toEqual(['offline', '-c', 'serverless.aws.yml', '--stage', 'try']);
  });

  test('the peers are the other sites of the folder, and never the site itself', async () => {
    const registry = await enterSite(dir, aws);
    const peers = JSON.parse(plansOf(given(), registry).host.env['TANDEM_PEERS'] ?? '') as PeerConfig[];
    expect(peers.map(({ site }) => site)).toEqual(['azure-eastus']);
  });

  test('what the definition or the environment says goes before what was found', async () => {
    const registry = await enterSite(dir, aws);
    const peers = '[{"site":"elsewhere"}]';
    const key = 'ab'.repeat(32);
    const env = plansOf(
      given({ TANDEM_PEERS: peers, TANDEM_OPERATOR_KEYS: key }, { TANDEM_LOG_LEVEL: 'debug' }),
      registry,
    ).host.env;
    expect(env['TANDEM_PEERS']).toBe(peers);
    expect(env['TANDEM_LOG_LEVEL']).toBe('debug');
    expect(env['TANDEM_OPERATOR_KEYS']?.split(',')).toEqual([key, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});
