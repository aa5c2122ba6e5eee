/** What a person sees: progress, warnings of the processes, deaths, and how to use the stack once it is up. */
import { styleText } from 'node:util';
import type { Stack } from '@tandem-clouds/command-line/running-stack';
import type { Death } from './keeper.ts';
import { isGoStack } from './last-lines.ts';
import { explain } from './supervise.ts';

/** Lines of one process on the terminal within the period; the rest is in its log only. */
const LINES_MAX = 8;
const LINES_PERIOD_MS = 5_000;

/** What is worth a person's attention among lines that are no JSON. */
const NOTABLE =
  /\b(warn(ing)?|error|exception|fail(ed|ure)?|unhandled|EADDRINUSE)\b|^\[(aws|azure) bridge\] ended/i;
/** Fields of a log line that are of no use on the terminal. */
const HIDDEN = new Set(['level', 'msg', 'message', 'time', 'timestamp', 'site', 'stack']);

export interface OutputOptions {
  readonly write: (text: string) => void;
  /** Show all that the processes write. */
  readonly verbose: boolean;
  readonly colour: boolean;
  readonly now?: () => number;
}

type Style = Parameters<typeof styleText>[0];

export class Output {
  readonly #options: OutputOptions;
  readonly #now: () => number;
  readonly #shown = new Map<string, { since: number; lines: number }>();

  constructor(options: OutputOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  print(text: string): void {
    this.#options.write(`${text}\n`);
  }

  problem(text: string): void {
    this.print(this.#style('red', text));
  }

  /** A process serves: `ready   0.4 s  aws-us-east-1`. */
  ready(name: string, afterMs: number): void {
    this.print(`  ${this.#style('green', 'ready')} ${seconds(afterMs).padStart(7)}  ${name}`);
  }

  /** A line that a process wrote. */
  line(name: string, line: string): void {
    if (this.#options.verbose) {
      this.print(`${this.#style('dim', name)} ${line}`);
      return;
    }
    const notable = notableText(line);
    if (notable !== undefined && this.#mayShow(name)) this.print(`${this.#style('yellow', name)} ${notable}`);
  }

  died(death: Death, logFile: string): void {
    const { name, pid, why, lastLines, hopeless } = death;
    this.problem(`${name} (pid ${pid}) ended: ${why}${nextOf(death)}`);
    if (!this.#options.verbose) for (const line of lastLines) this.print(`    ${line}`);
    if (hopeless !== undefined) this.problem(`${explain(death)}; its output is in ${logFile}`);
  }

  /** @returns A line with the colours that the terminal takes. */
  #style(style: Style, text: string): string {
    return this.#options.colour ? styleText(style, text, { validateStream: false }) : text;
  }

  #mayShow(name: string): boolean {
    const now = this.#now();
    const shown = this.#shown.get(name);
    if (shown === undefined || now - shown.since > LINES_PERIOD_MS) {
      this.#shown.set(name, { since: now, lines: 1 });
      return true;
    }
    shown.lines += 1;
    if (shown.lines === LINES_MAX + 1) this.print(`${this.#style('yellow', name)} … more of it in its log`);
    return shown.lines <= LINES_MAX;
  }
}

function nextOf({ restartInMs, held }: Death): string {
  if (restartInMs === undefined) return '';
  if (held === true) return '; it stays away until it is held no more';
  return restartInMs === 0 ? '; starting it again' : `; starting it again in ${seconds(restartInMs)}`;
}

/** What to show of a line; undefined when it is nothing to act on. */
export function notableText(line: string): string | undefined {
  const entry = line.startsWith('{') ? parse(line) : undefined;
  if (entry === undefined) return NOTABLE.test(line) && !isGoStack(line) ? line : undefined;
  const level = entry['level'];
  if (level !== 'warn' && level !== 'error') return undefined;
  const fields = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const message = entry['message'] ?? entry['msg'];
  return [`${level}:`, typeof message === 'string' ? message : '', ...fields].join(' ');
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** How to use a stack that is up: addresses, a write and a read to copy, how to kill a cloud. */
export function summary(
  stack: Stack,
  places: { dir: string; logs: string; data: string | undefined },
): string {
  const [first, ...others] = stack.sites;
  const second = others.find(({ cloud }) => cloud !== first?.cloud) ?? others[0];
  if (first === undefined || second === undefined) throw new Error('a stack has two sites at least');
  const body = JSON.stringify({ id: 'hello', data: { from: first.site } });
  const rows = [
    ['shop', `${stack.edge.url}/`, '', 'what people see: open it in a browser'],
    ['edge', stack.edge.url, `pid ${stack.edge.pid ?? '-'}`, 'spreads requests over the sites'],
    [
      'dns',
      `127.0.0.1:${stack.dns.port}`,
      `pid ${stack.dns.pid ?? '-'}`,
      `dig @127.0.0.1 -p ${stack.dns.port} api.tandem.test`,
    ],
    [
      'payments',
      stack.payments[stack.payments.provider],
      `pid ${stack.payments.pid ?? '-'}`,
      `sandbox of ${stack.payments.provider === 'stripe' ? 'Stripe' : 'PayPal'}`,
    ],
    ['mail', stack.mail.web, `pid ${stack.mail.pid ?? '-'}`, 'what the sites have sent'],
    [
      'console',
      stack.console.url,
      `pid ${stack.console.pid ?? '-'}`,
      'both clouds and what is under way, live',
    ],
    ['traces', stack.traces.url, `pid ${stack.traces.pid ?? '-'}`, 'npm run tandem -- traces list'],
    ...(stack.issuer === undefined
      ? []
      : [['issuer', stack.issuer.url, `pid ${stack.issuer.pid ?? '-'}`, 'gives tokens to whoever asks']]),
    ...stack.sites.map(({ site, url, pid, bridgePid }) => [
      site,
      url,
      `pid ${pid ?? '-'}`,
      `bridge pid ${bridgePid ?? '-'}`,
    ]),
    ...stack.sites.flatMap(({ site, inspectors = [] }) =>
      inspectors.map(({ part, address }) => [site, address, 'inspector', `of the ${part}`]),
    ),
  ];
  // Its functions, then its database and its queues.
  const pids = [second.pid, second.emulatorsPid].filter((pid) => pid !== null).join(' ');
  const bearer = stack.issuer === undefined ? '' : ' -H "authorization: Bearer $TOKEN"';
  return [
    '',
    ...table(rows).map((row) => `  ${row}`),
    '',
    `  Write at ${first.site}, read at ${second.site}:`,
    ...(bearer === '' ? [] : ['    TOKEN=$(npm run -s tandem -- token)']),
    `    curl -sS ${first.url}/write${bearer} -H 'content-type: application/json' -d '${body}'`,
    `    curl -sS ${second.url}/items/hello${bearer}`,
    '',
    `  Kill ${second.site}; it starts again by itself, and the edge goes round it:`,
    `    kill -9 ${pids}`,
    '  Keep it down instead, and let it come back:',
    `    npm run tandem -- fault stop ${second.site}${stackOption(places.dir)}`,
    `    npm run tandem -- fault lift all${stackOption(places.dir)}`,
    '',
    `  Data    ${places.data ?? 'in memory only'}`,
    `  Logs    ${places.logs}`,
    `  Tools   ${places.dir}/stack.json`,
    '  Stop    Ctrl-C',
    '',
  ].join('\n');
}

/** What commands need to find a stack that is not in the usual folder. */
function stackOption(dir: string): string {
  return dir === '.tandem' ? '' : ` --stack ${dir}`;
}

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

/** `0.4 s` */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
