/**
 * Hands the code to the functions of a stack, at their start and whenever it changes, and says on the screen what became
 * of a change: one line when every site serves it.
 */
import path from 'node:path';
import { CodeSource } from '../code/code-source.ts';
import { type Code, isCodeTaken } from '../code/messages.ts';
import type { TypeCheck } from '../types/type-check.ts';
import type { Keeper } from './keeper.ts';
import { type Output, seconds } from './output.ts';
import { commonEnvironment, type TopologyInput } from './topology.ts';

/** The rest of a long list of files, or of mistakes, is a number. */
const NAMED_MAX = 4;
const PROBLEM_LINES_MAX = 40;

interface Change {
  readonly files: readonly string[];
  readonly begunAt: number;
  /** Generation by the sites that have not taken it yet. */
  readonly waiting: Map<string, number>;
  readonly taken: string[];
}

export interface StackCodeOptions {
  readonly topology: TopologyInput;
  readonly output: Output;
  readonly keepers: () => readonly Keeper[];
  /** Reports type errors of what has changed; absent: nothing does. */
  readonly types?: TypeCheck | undefined;
}

export class StackCode {
  readonly #options: StackCodeOptions;
  readonly #source: CodeSource;
  readonly #codes = new Map<string, Code>();
  #change: Change | undefined;
  /** Built, and not checked before every site has it: the compiler delays no change. */
  #unchecked: string[] = [];

  constructor(options: StackCodeOptions) {
    this.#options = options;
    const { topology, output } = options;
    const { projectDir, sites, buildDir, cacheDir } = topology;
    this.#source = new CodeSource({
      projectDir,
      sites,
      buildDir: path.join(buildDir, 'code'),
      cacheDir,
      env: commonEnvironment(topology),
      onCode: (codes, changed, begunAt) => this.#handOut(codes, changed, begunAt),
      onBuilt: (files) => {
        this.#unchecked.push(...files);
        this.#checkTypes();
      },
      onProgress: (line) => output.line('code', line),
      onProblem: (lines, changed) =>
        this.#problem(`Change not built, everything stays as it was${from(changed)}`, lines),
      onWarning: (line) => output.problem(`warning: ${line}`),
    });
  }

  /** @throws Error when the code cannot be built. */
  async start(): Promise<void> {
    await this.#source.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#source.stop(), this.#options.types?.stop()]);
  }

  /** The code to a process that has just started. */
  give(keeper: Keeper): void {
    const code = this.#codes.get(keeper.plan.name);
    if (code !== undefined) keeper.send({ type: 'code', code });
  }

  /** What a process has sent. */
  taken({ plan: { name } }: Keeper, message: unknown): void {
    if (!isCodeTaken(message)) return;
    const { generation, problem } = message;
    if (problem !== undefined) {
      const { projectDir } = this.#options.topology;
      const lines = problem.replaceAll(`${projectDir}/`, '').split('\n');
      this.#problem(`Change not taken, ${name} goes on with the code from before`, lines.filter(isOurs));
    }
    const change = this.#change;
    if (change?.waiting.get(name) !== generation) return;
    change.waiting.delete(name);
    if (problem === undefined) change.taken.push(name);
    this.#checkTypes();
    if (change.waiting.size > 0 || change.taken.length === 0) return;
    const after = seconds(performance.now() - change.begunAt);
    this.#options.output.print(
      `Changed after ${after}: ${named(change.files)}, at ${change.taken.join(', ')}`,
    );
  }

  #checkTypes(): void {
    if ((this.#change?.waiting.size ?? 0) > 0) return;
    this.#options.types?.check(this.#unchecked);
    this.#unchecked = [];
  }

  #handOut(codes: ReadonlyMap<string, Code>, files: readonly string[], begunAt: number): void {
    for (const [site, code] of codes) this.#codes.set(site, code);
    if (files.length > 0) {
      this.#change = {
        files,
        begunAt,
        waiting: new Map([...codes].map(([site, { generation }]) => [site, generation])),
        taken: [],
      };
      if (codes.size === 0) this.#options.output.print(`Builds again, as before: ${named(files)}`);
    }
    for (const keeper of this.#options.keepers()) if (codes.has(keeper.plan.name)) this.give(keeper);
  }

  #problem(what: string, lines: readonly string[]): void {
    const { output } = this.#options;
    output.problem(what);
    for (const line of lines.slice(0, PROBLEM_LINES_MAX)) output.print(`    ${line}`);
  }
}

/** Lines of a stack below our own code are of no use. */
function isOurs(line: string): boolean {
  return !/^\s+at .*(?:\(node:|\(file:|at node:|at file:)/.test(line);
}

function from(files: readonly string[]): string {
  return files.length === 0 ? '' : ` (${named(files)})`;
}

function named(files: readonly string[]): string {
  const rest = files.length - NAMED_MAX;
  return files.slice(0, NAMED_MAX).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
