/** What holds for every workflow of the pipeline, whoever writes the next one. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const ROOT = path.join(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, '.github/workflows');

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly uses?: string;
  readonly environment?: string;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string; readonly with?: object }[];
}

interface Workflow {
  readonly permissions: object;
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': unknown };
  readonly jobs: Readonly<Record<string, Job>>;
}

const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
const files = fs.readdirSync(FOLDER).sort();
const workflows = files.map((file) => {
  const text = fs.readFileSync(path.join(FOLDER, file), 'utf8');
  return { file, text, workflow: parse(text) as Workflow };
});

test('there are four of them', () => {
  expect(files).toEqual(['ci.yml', 'deploy.yml', 'drill.yml', 'teardown.yml']);
});

describe.each(workflows)('$file', ({ file, text, workflow }) => {
  const jobs = Object.entries(workflow.jobs);

  test('pins every action of others by its commit, and says which version that is', () => {
    const uses = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line) && !line.includes('uses: ./'));
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('pins an action by the same commit everywhere', () => {
    const all = workflows.flatMap((one) => one.text.match(/uses: [\w-]+\/[^\n]+/g) ?? []);
    const byAction = Map.groupBy(new Set(all), (line) => line.split('@')[0]);
    for (const [action, lines] of byAction) expect([action, lines]).toEqual([action, [lines[0]]]);
  });

  test('gives no right to all jobs, and asks for an identity only where it signs in', () => {
    expect(workflow.permissions).toEqual({});
    for (const [, { permissions = {}, steps = [] }] of jobs) {
      const signsIn = steps.some(({ uses = '' }) => /configure-aws-credentials|azure\/login/.test(uses));
      expect(permissions['id-token']).toBe(signsIn ? 'write' : undefined);
      expect(Object.keys(permissions).filter((name) => name !== 'id-token' && name !== 'contents')).toEqual([]);
    }
  });

  test('signs in only from the environment that the clouds trust', () => {
    for (const [, { permissions, environment }] of jobs) {
      if (permissions?.['id-token'] === 'write') expect(environment).toBe('production');
    }
  });

  test('guards against running twice at once, and cuts nothing off that changes a cloud', () => {
    const { group, 'cancel-in-progress': cancels } = workflow.concurrency;
    expect(group).not.toBe('');
    if (file === 'deploy.yml' || file === 'teardown.yml') expect([group, cancels]).toEqual(['production', false]);
  });

  test('ends by itself', () => {
    for (const [, job] of jobs) if (job.uses === undefined) expect(job['timeout-minutes']).toBeLessThanOrEqual(60);
  });

  test('knows no long-lived key of a cloud', () => {
    expect(text).not.toMatch(/AWS_SECRET_ACCESS_KEY|AWS_ACCESS_KEY_ID|AZURE_CREDENTIALS|AZURE_CLIENT_SECRET|client-secret/);
  });

  test('runs only scripts that there are', () => {
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    for (const [program = ''] of text.matchAll(/\.ci\/[\w-]+/g)) {
      expect(fs.statSync(path.join(ROOT, program)).mode & 0o100).not.toBe(0);
    }
  });

  test('puts no expression into a script, where its value could become code', () => {
    for (const { run = '' } of jobs.flatMap(([, { steps = [] }]) => steps)) {
      expect(run.replace('${{ matrix.drill }}', '')).not.toContain('${{');
    }
  });
});

describe('who may deploy', () => {
  test('is one environment of one repository, on both clouds', () => {
    const aws = fs.readFileSync(path.join(ROOT, 'infra/aws/github-oidc.yml'), 'utf8');
    expect(aws).toContain('sub: !Sub repo:${Repository}:environment:${Environment}\n');
    expect(aws).not.toMatch(/StringLike/);
    const azure = fs.readFileSync(path.join(ROOT, 'infra/azure/github-oidc.json'), 'utf8');
    expect(azure).toContain(
      "[format('repo:{0}:environment:{1}', parameters('repository'), parameters('environment'))]",
    );
  });
});
