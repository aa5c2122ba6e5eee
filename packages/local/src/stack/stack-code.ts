/**
 * Builds the code of a stack, hands it to the functions at their start and whenever it changes, and says on the screen
 * what became of a change.
 */
import path from 'node:path';
import { CodeSource } from '../code/code-source.ts';
import { isCodeTaken } from '../code/messages.ts';
import { CheckTurn } from '../types/check-turn.ts';
import type { TypeCheck } from '../types/type-check.ts';
import { CodeDelivery, named } from './code-delivery.ts';
import type { Keeper } from './keeper.ts';
import type { Output } from './output.ts';
import { commonEnvironment, type TopologyInput } from './topology.ts';

/** The rest of a long list of mistakes is not shown. */
const PROBLEM_LINES_MAX = 40;

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
  readonly #delivery: CodeDelivery;
  readonly #turn: CheckTurn;

  constructor(options: StackCodeOptions) {
    this.#options = options;
    const { topology, output } = options;
    const { projectDir, sites, ports, buildDir, cacheDir } = topology;
    this.#delivery = new CodeDelivery({
      send: (site, code) => this.#keeperOf(site)?.send({ type: 'code', code }),
      isReady: (site) => this.#keeperOf(site)?.ready === true,
      restart: (site, why) => this.#keeperOf(site)?.killBecause(why),
      isInspected: sites.some(({ site }) => ports.has(`${site}.inspect`)),
      print: (line) => output.print(line),
      onProblem: (what, lines) => this.#problem(what, lines),
      onSettled: () => {
        this.#source.expectMore();
        this.#turn.next();
      },
    });
    this.#turn = new CheckTurn({ types: options.types, isSettled: () => this.#delivery.isSettled });
    this.#source = new CodeSource({
      projectDir,
      sites,
      buildDir: path.join(buildDir, 'code'),
      cacheDir,
      env: commonEnvironment(topology),
      onCode: (codes, changed, begunAt) => this.#delivery.handOut(codes, changed, begunAt),
      onBegin: () => this.#turn.begun(),
      onBuilt: (files) => this.#turn.ended(files),
      onProgress: (line) => output.line('code', line),
      onProblem: (lines, changed) => {
        const of = changed.length === 0 ? '' : ` (${named(changed)})`;
        this.#problem(`Change not built, everything stays as it was${of}`, lines);
        this.#turn.ended([]);
      },
      onWarning: (line) => output.problem(`warning: ${line}`),
    });
  }

  /** @throws Error when the code cannot be built. */
  async start(): Promise<void> {
    await this.#source.start();
  }

  /** The stack is up, and idle. */
  async warm(): Promise<void> {
    await this.#source.warm();
  }

  async stop(): Promise<void> {
    this.#delivery.stop();
    await Promise.all([this.#source.stop(), this.#options.types?.stop()]);
  }

  /** The code to a process that has just started. */
  give({ plan }: Keeper): void {
    this.#delivery.started(plan.name);
  }

  /** What a process has sent. */
  taken({ plan }: Keeper, message: unknown): void {
    if (isCodeTaken(message)) this.#delivery.taken(plan.name, message);
  }

  #keeperOf(site: string): Keeper | undefined {
    return this.#options.keepers().find(({ plan }) => plan.name === site);
  }

  #problem(what: string, lines: readonly string[]): void {
    const { output, topology } = this.#options;
    output.problem(what);
    const short = lines.map((line) => line.replaceAll(`${topology.projectDir}/`, '')).filter(isOurs);
    for (const line of short.slice(0, PROBLEM_LINES_MAX)) output.print(`    ${line}`);
  }
}

/** Lines of a stack below our own code are of no use. */
function isOurs(line: string): boolean {
  return !/^\s+at .*(?:\(node:|\(file:|at node:|at file:)/.test(line);
}
