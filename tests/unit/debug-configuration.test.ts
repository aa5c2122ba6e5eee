/** What an editor starts and attaches to is what `npm start` offers. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { readCommandLine } from '@tandem-clouds/command-line/run-program';
import { choosePorts, INSPECTED } from '@tandem-clouds/local/ports';
import { DEFAULT_SITES, parseSites } from '@tandem-clouds/local/stack/sites';
import { PROGRAM } from '../../scripts/commands/program.ts';

const EDITOR = path.join(import.meta.dirname, '../../.vscode');
const read = (name: string): unknown => JSON.parse(fs.readFileSync(path.join(EDITOR, name), 'utf8'));

interface Launch {
  readonly configurations: readonly { readonly name: string; readonly port: number }[];
  readonly compounds: readonly {
    readonly configurations: readonly string[];
    readonly preLaunchTask: string;
  }[];
}

interface Tasks {
  readonly tasks: readonly { readonly label: string; readonly args: readonly string[] }[];
}

const launch = read('launch.json') as Launch;
const [task] = (read('tasks.json') as Tasks).tasks;

test('one configuration for each process of both clouds that runs our code, and one for all of them', () => {
  const [, , ...args] = task!.args;
  expect(args).toContain('--inspect');
  const chosen = args.filter((_, index) => args[index - 1] === '--port');
  const sites = parseSites(DEFAULT_SITES);
  const ports = choosePorts(sites, chosen, { withInspectors: true });
  const inspected = sites.flatMap(({ site }) => INSPECTED.map((part) => ports.get(`${site}.${part}`)));
  expect(launch.configurations.map(({ port }) => port)).toEqual(inspected);
  expect(launch.compounds[0]).toMatchObject({
    configurations: launch.configurations.map(({ name }) => name),
    preLaunchTask: task!.label,
  });
});

test('the task is a command line that there is', () => {
  const [command, , ...args] = task!.args;
  expect(() => readCommandLine(PROGRAM, [command!, ...args])).not.toThrow();
});

test('the page names the port of each process', () => {
  const page = fs.readFileSync(path.join(EDITOR, '../docs/debug.md'), 'utf8');
  const ports = [...page.matchAll(/^\| [^|]+\| (\d+) +\|/gm)].map(([, port]) => Number(port));
  expect(ports).toEqual(launch.configurations.map(({ port }) => port));
});
