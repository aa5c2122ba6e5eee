/**
 * A command as data: its help, its errors, its completion and the reading of its options follow from one declaration.
 *
 *     command({
 *       name: 'pause',
 *       summary: 'send nothing more from one site to another',
 *       args: { from: text('the site that sends', { placeholder: 'site', required: true }) },
 *       options: { dryRun: flag('change nothing') },
 *       examples: [{ line: 'pause aws-us-east-1 --dry-run', shows: 'what would happen' }],
 *       run: async (input, context) => (await import('./pause.ts')).pause(input, context),
 *     })
 *
 * A declaration imports what describes it and nothing else; `run` imports what does the work, so that a command starts
 * as fast as its own modules load.
 */
import type { Option } from './option.ts';

/** Where a command writes. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export interface CommandContext extends Output {
  /** The output is replaced at each refresh instead of being repeated. */
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Aborted by Ctrl-C, from when it is first read: a command that does not read it ends at once. */
  readonly signal: AbortSignal;
}

/** A line that works, without what starts the program. */
export interface Example {
  readonly line: string;
  readonly shows: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What the reader makes of them. */
export type Values<O> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

interface Declaration<C, A extends Options, O extends Options> {
  /** `status`, or of a group: `dns plan`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What a person must know beside the options; whole lines. */
  readonly details?: string;
  /** In order; their names are what the help calls them. */
  readonly args?: A;
  /** `dryRun` is `--dry-run`. */
  readonly options?: O;
  readonly examples: readonly Example[];
  /** Rules between options. @throws UsageError */
  readonly check?: (input: Values<A> & Values<O>) => void;
  /** Returns the exit status. */
  readonly run: (input: Values<A> & Values<O>, context: C) => number | Promise<number>;
}

export interface Command<C> {
  readonly name: string;
  readonly summary: string;
  readonly details: string;
  readonly args: Options;
  readonly options: Options;
  readonly examples: readonly Example[];
  readonly check: (input: Input) => void;
  readonly run: (input: Input, context: C) => number | Promise<number>;
}

/** Values by name; of the types that the command's declaration says. */
export type Input = Readonly<Record<string, unknown>>;

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- a command without options has exactly these
type NoOptions = Record<never, never>;

export function command<C, A extends Options = NoOptions, O extends Options = NoOptions>(
  declaration: Declaration<C, A, O>,
): Command<C> {
  const { name, summary, examples, details = '', args = {}, options = {} } = declaration;
  const { check = () => undefined, run } = declaration;
  return {
    name,
    summary,
    examples,
    details,
    args,
    options,
    // The reader makes exactly the values that the declaration names.
    check: (input) => check(input as Values<A> & Values<O>),
    run: (input, context) => run(input as Values<A> & Values<O>, context),
  };
}

/** Commands that share their first word. */
export interface Group<C> {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command<C>[];
}

export interface Section<C> {
  readonly title: string;
  readonly entries: readonly (Command<C> | Group<C>)[];
}

export interface Program<C> {
  /** What a person types before the command: `npm run tandem --`. */
  readonly call: string;
  readonly summary: string;
  readonly sections: readonly Section<C>[];
  /** Below the list of commands; whole lines. */
  readonly details?: string;
  readonly version?: string;
}

export function isGroup<C>(entry: Command<C> | Group<C>): entry is Group<C> {
  return 'commands' in entry;
}

export function entriesOf<C>({ sections }: Program<C>): readonly (Command<C> | Group<C>)[] {
  return sections.flatMap(({ entries }) => entries);
}

export function commandsOf<C>(program: Program<C>): readonly Command<C>[] {
  return entriesOf(program).flatMap((entry) => (isGroup(entry) ? entry.commands : [entry]));
}

/** The same command for a context that the one it needs is made from. */
export function withContext<C, D>(one: Command<D>, make: (context: C) => D | Promise<D>): Command<C> {
  return { ...one, run: async (input, context) => one.run(input, await make(context)) };
}

/** `dryRun` → `--dry-run` */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (character) => `-${character.toLowerCase()}`)}`;
}
