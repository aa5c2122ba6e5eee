/**
 * What every bench, drill and simulation reports: figures with their aims, as a table for people or, with
 * `--json`, as exactly one object on standard output for programs.
 *
 * Invariant: standard output carries the report and nothing else (progress goes to standard error), and the exit
 * status says whether the run worked, never whether the aims hold.
 */
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { aligned } from '@tandem-clouds/command-line/table';

/** What a value should be. Bounds carry the unit of the figure. */
export type Aim =
  | { readonly atMost: number }
  | { readonly below: number }
  | { readonly atLeast: number }
  | { readonly exactly: number };

/** One measured value; `holds` is null where nothing is aimed at. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `≤ 0.6`, in the unit of the figure. */
  readonly aim: string | null;
  readonly holds: boolean | null;
}

/** What the numbers were measured on. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
}

/** What a run found out. */
export interface Findings {
  readonly figures: readonly Figure[];
  /** How it was measured, and what a reader must know to trust it; one sentence or two each. */
  readonly notes?: readonly string[];
}

export interface Report extends Findings {
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** What was typed. */
  readonly command: string;
}

/** Makes a figure and says whether its aim holds. @throws RangeError for a value that is not a finite number. */
export function figure(name: string, value: number, unit: string, aim?: Aim): Figure {
  if (!Number.isFinite(value)) throw new RangeError(`${name}: ${value} is not a measurement`);
  if (aim === undefined) return { name, value, unit, aim: null, holds: null };
  const { text, holds } = judge(value, aim);
  return { name, value, unit, aim: text, holds };
}

function judge(value: number, aim: Aim): { text: string; holds: boolean } {
  if ('atMost' in aim) return { text: `≤ ${number(aim.atMost)}`, holds: value <= aim.atMost };
  if ('below' in aim) return { text: `< ${number(aim.below)}`, holds: value < aim.below };
  if ('atLeast' in aim) return { text: `≥ ${number(aim.atLeast)}`, holds: value >= aim.atLeast };
  return { text: `= ${number(aim.exactly)}`, holds: value === aim.exactly };
}

/** The facts of this machine and of the Node that runs. */
export function thisMachine(): Machine {
  const cpus = os.cpus();
  return {
    cores: os.availableParallelism(),
    cpu: cpus[0]?.model ?? 'unknown',
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.arch()}`,
    node: process.version,
  };
}

/** The command as a person would type it in the root of the project. */
export function commandLine(argv: readonly string[], root: string): string {
  const [, script = '', ...rest] = argv;
  const file = path.relative(root, script);
  return [...(file === 'scripts/tandem.ts' ? ['npm run tandem --'] : ['node', file]), ...rest].join(' ');
}

/** The report as one line of JSON: `title`, `date`, `machine`, `command`, `figures`, `notes`. */
export function toJson({ title, date, machine, command, figures, notes = [] }: Report): string {
  return JSON.stringify({ title, date, machine, command, figures, notes });
}

/** The report as an aligned table, with the notes below it. */
export function toTable({ title, date, machine, command, figures, notes = [] }: Report): string {
  const { cores, cpu, memoryGb, platform, node } = machine;
  const rows = figures.map(({ name, value, unit, aim, holds }) => [
    name,
    number(value),
    unit,
    aim ?? '',
    holds === null ? '' : holds ? 'yes' : 'NO',
  ]);
  return [
    title,
    `${date}  ${cores} cores (${cpu}), ${memoryGb} GB, ${platform}, Node ${node}`,
    command,
    '',
    ...aligned([['figure', 'value', 'unit', 'aim', 'holds'], ...rows], [NUMERIC_COLUMN]),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : []),
    '',
  ].join('\n');
}

const NUMERIC_COLUMN = 1;

/** Three digits that count, so that a column of figures can be read: 0.594, 5.94, 59.4, 594, 5,940. */
function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-GB');
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Where a report and its progress go; injected for tests. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const processStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/**
 * Runs a measurement and prints its report. Returns the exit status: 0 whatever the figures say, 1 when the run
 * itself failed, and then nothing is printed on standard output.
 */
export async function report(
  options: { readonly title: string; readonly json: boolean; readonly command: string },
  measure: (progress: (line: string) => void) => Promise<Findings>,
  streams: Streams = processStreams,
): Promise<0 | 1> {
  const { title, json, command } = options;
  const date = new Date().toISOString();
  try {
    const findings = await measure((line) => streams.err(`${line}\n`));
    const finished: Report = { title, date, machine: thisMachine(), command, ...findings };
    streams.out(json ? `${toJson(finished)}\n` : toTable(finished));
    return 0;
  } catch (error) {
    streams.err(`${title}: the run failed\n${inspect(error)}\n`);
    return 1;
  }
}

/** Figures as the lines of a table in Markdown. */
export function toMarkdown(figures: readonly Figure[]): string[] {
  return [
    '| figure | value | bar | holds |',
    '| --- | ---: | ---: | --- |',
    ...figures.map(
      ({ name, value, unit, aim, holds }) =>
        `| ${name} | ${number(value)}${unit === '' ? '' : ` ${unit}`} | ${aim ?? ''} | ${holds === null ? '' : holds ? 'yes' : '**NO**'} |`,
    ),
  ];
}
