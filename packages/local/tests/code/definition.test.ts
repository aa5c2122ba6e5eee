/** Definitions as `npm start` resolves them, against the framework itself; and what is kept of them. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { cleanEnvironment } from '../../../../tests/helpers/aws-service.ts';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { FreshClone } from '../../../../tests/helpers/fresh-clone.ts';
import { resolvedDefinition } from '../../src/code/definition.ts';
import { Workshop } from '../../src/code/workshop.ts';

const ROOT = path.join(import.meta.dirname, '../../../..');
const onCleanup = closeAfterEach();
const env = cleanEnvironment() as Record<string, string>;

function folder(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-definition-'));
  onCleanup(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const resolve = (projectDir: string, cacheDir: string, cloud: 'aws' | 'azure' = 'aws') =>
  resolvedDefinition({
    projectDir,
    cacheDir,
    cloud,
    region: 'eu-west-1',
    env,
    workshop: workshopOf(projectDir),
  });

function workshopOf(projectDir: string): Workshop {
  const workshop = new Workshop({ projectDir, env });
  onCleanup(() => workshop.stop());
  return workshop;
}

/** What is the framework's and not the definition's: parameters, and how the CLI itself behaves. */
async function printed(cloud: string): Promise<Record<string, unknown>> {
  const cli = path.join(ROOT, 'node_modules/serverless/bin/serverless.js');
  const args = ['print', '-c', `serverless.${cloud}.yml`, '--format', 'json', '--region', 'eu-west-1'];
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { cwd: ROOT, env });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** `print` names no functions. */
function withoutNames(functions: object): object {
  return Object.fromEntries(
    Object.entries(functions).map(([key, { name: _, ...rest }]: [string, { name?: string }]) => [key, rest]),
  );
}

/** The framework takes it apart for itself. */
function withoutBucket(provider: object): object {
  return Object.fromEntries(
    Object.entries(provider).filter(([name]) => !name.startsWith('deploymentBucket')),
  );
}

describe('a definition that npm start resolves', () => {
  test.each(['aws', 'azure'] as const)('is what the framework makes of serverless.%s.yml', async (cloud) => {
    const [ours, theirs] = await Promise.all([resolve(ROOT, folder(), cloud), printed(cloud)]);
    expect(withoutNames(ours.functions)).toEqual(withoutNames(theirs['functions'] as object));
    const custom = theirs['custom'] as typeof ours.custom;
    expect({ ...ours.custom, esbuild: {} }).toEqual({ ...custom, esbuild: {} });
    // The plugins add where they put what, and defaults of their own.
    expect(custom.esbuild).toMatchObject(ours.custom.esbuild);
    expect(theirs['provider']).toMatchObject(withoutBucket(ours.provider));
    expect(ours.resources).toEqual(theirs['resources']);
    expect(ours.functions['users']?.name).toBe('tandem-prod-users');
  });

  test('is kept until something that it is made of changes', async () => {
    const clone = new FreshClone();
    onCleanup(() => clone.remove());
    const cache = folder();
    await resolve(clone.dir, cache);
    const kept = path.join(cache, 'definitions', fs.readdirSync(path.join(cache, 'definitions'))[0]!);
    fs.writeFileSync(kept, JSON.stringify({ service: 'as it was kept' }));
    expect(await resolve(clone.dir, cache)).toEqual({ service: 'as it was kept' });
    fs.appendFileSync(path.join(clone.dir, 'infra/aws/queues.yml'), '\n');
    expect((await resolve(clone.dir, cache)).service).toBe('tandem');
  });

  test('is made of modules as they are now, by a process that has read them before', async () => {
    const clone = new FreshClone();
    onCleanup(() => clone.remove());
    const options = { projectDir: clone.dir, cloud: 'aws', region: 'eu-west-1', env } as const;
    const workshop = workshopOf(clone.dir);
    const functions = async (): Promise<string[]> =>
      Object.keys((await resolvedDefinition({ ...options, cacheDir: folder(), workshop })).functions);
    const before = await functions();
    const data = path.join(clone.dir, 'infra/entities.json');
    const more = {
      name: 'film',
      collection: 'films',
      function: 'films',
      handler: 'films.handler',
      slots: [],
      reacts: false,
      aliases: [],
    };
    fs.writeFileSync(
      data,
      JSON.stringify([...(JSON.parse(fs.readFileSync(data, 'utf8')) as object[]), more]),
    );
    expect((await functions()).filter((name) => !before.includes(name))).toEqual(['films']);
  });

  test('is kept for each region', async () => {
    const cache = folder();
    const workshop = workshopOf(ROOT);
    const options = { projectDir: ROOT, cacheDir: cache, cloud: 'aws', env, workshop } as const;
    const regions = ['eu-west-1', 'us-east-1'];
    const both = await Promise.all(regions.map((region) => resolvedDefinition({ ...options, region })));
    expect(both.map(({ provider }) => provider.environment['TANDEM_SITE'])).toEqual([
      'aws-eu-west-1',
      'aws-us-east-1',
    ]);
  });

  test('that is wrong is refused in words of the framework', async () => {
    const clone = new FreshClone();
    onCleanup(() => clone.remove());
    const file = path.join(clone.dir, 'serverless.aws.yml');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('${param:site}', '${param:sight}'));
    await expect(resolve(clone.dir, folder())).rejects.toThrow(
      /serverless\.aws\.yml: .*"provider\.stackTags\.site": Value not found at "param" source/s,
    );
  });
});
