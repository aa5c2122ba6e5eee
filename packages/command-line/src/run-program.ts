/**
 * From words to a command, and from its end to an exit status: 0 done, 1 failed, 2 wrong usage.
 *
 * Invariant: whatever is expected to go wrong is a message; only a defect is an exception.
 */
import {
  type Command,
  commandsOf,
  entriesOf,
  type Group,
  type Input,
  isGroup,
  type Output,
  type Program,
} from './command.ts';
import { CommandError } from './command-error.ts';
import { commandHelp, groupHelp, programHelp } from './help.ts';
import { readInput } from './parse.ts';
import { HERE, type Place } from './place.ts';
import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

const DONE = 0;
const FAILED = 1;
const USAGE_STATUS = 2;

/** What a command line asks for. */
export type Request<C> =
  | { readonly kind: 'run'; readonly command: Command<C>; readonly input: Input }
  | { readonly kind: 'text'; readonly text: string };

/** Returns the exit status. @param place Where the paths of the command line are meant from. */
export async function runProgram<C extends Output>(
  program: Program<C>,
  words: readonly string[],
  context: C,
  place: Place = HERE,
): Promise<number> {
  try {
    const request = readCommandLine(program, words, place);
    if (request.kind === 'run') return await request.command.run(request.input, context);
    context.out(request.text);
    return DONE;
  } catch (error) {
    if (error instanceof UsageError) {
      context.err(`${error.message}\n${hintFor(program, words)}\n`);
      return USAGE_STATUS;
    }
    if (!(error instanceof CommandError)) throw error;
    context.err(`${error.message}\n`);
    return FAILED;
  }
}

/** @throws UsageError */
export function readCommandLine<C>(
  program: Program<C>,
  words: readonly string[],
  place: Place = HERE,
): Request<C> {
  const [first = '', ...rest] = words;
  if (first === 'help') return { kind: 'text', text: helpFor(program, rest) };
  if (isHelp(first)) return { kind: 'text', text: programHelp(program) };
  if (first === '--version' && program.version !== undefined)
    return { kind: 'text', text: `${program.version}\n` };
  const { found, after } = find(program, words);
  const end = after.indexOf('--');
  if ((end < 0 ? after : after.slice(0, end)).some(isHelp)) {
    return { kind: 'text', text: helpOf(program, found) };
  }
  if (isGroup(found)) throw new UsageError(`${found.name} needs ${oneOf(found)}`);
  return { kind: 'run', command: found, input: readInput(found, after, place) };
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

interface Found<C> {
  readonly found: Command<C> | Group<C>;
  readonly after: readonly string[];
}

/** A group is found where only help can follow, or nothing does. @throws UsageError naming what is near. */
function find<C>(program: Program<C>, [first, ...rest]: readonly string[]): Found<C> {
  if (first === undefined) throw new UsageError('a command is needed');
  if (first.startsWith('-')) throw new UsageError(`the command comes first, so not '${first}'`);
  const entry = entriesOf(program).find(({ name }) => name === first);
  if (entry === undefined) throw new UsageError(`'${first}' is not a command${nearFirst(program, first)}`);
  const [second, ...more] = rest;
  if (!isGroup(entry) || second === undefined || isHelp(second)) return { found: entry, after: rest };
  if (second.startsWith('-')) throw new UsageError(`${first} needs ${oneOf(entry)}`);
  const name = `${first} ${second}`;
  const found = entry.commands.find((one) => one.name === name);
  if (found !== undefined) return { found, after: more };
  const near = suggestion(
    name,
    entry.commands.map((one) => one.name),
  );
  throw new UsageError(
    `'${name}' is not a command${near === '' ? `; ${first} needs ${oneOf(entry)}` : near}`,
  );
}

/** `plan` is a word of `dns plan`; `bench:lag` is what `bench lag` was once called. */
function nearFirst<C>(program: Program<C>, word: string): string {
  const names = commandsOf(program).map(({ name }) => name);
  const within = names.filter((name) => name.endsWith(` ${word}`));
  if (within.length > 0) return `; did you mean ${within.map((name) => `'${name}'`).join(' or ')}?`;
  return suggestion(word, [...entriesOf(program).map(({ name }) => name), 'help', ...names]);
}

function oneOf<C>({ name, commands }: Group<C>): string {
  const words = commands.map((one) => one.name.slice(name.length + 1));
  return words.length === 1 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** `help`, `help dns`, `help dns plan`. */
function helpFor<C>(program: Program<C>, words: readonly string[]): string {
  const named = words.filter((word) => !isHelp(word));
  if (named.length === 0) return programHelp(program);
  const { found, after } = find(program, named);
  if (after.length > 0) throw new UsageError(`help takes no argument '${after.join(' ')}'`);
  return helpOf(program, found);
}

function helpOf<C>({ call }: Program<C>, found: Command<C> | Group<C>): string {
  return isGroup(found) ? groupHelp(found, call) : commandHelp(found, call);
}

/** After a mistake: which help text to read. */
function hintFor<C>(program: Program<C>, [first, second]: readonly string[]): string {
  const { call } = program;
  const entry = entriesOf(program).find(({ name }) => name === first);
  if (entry === undefined) return `${call} --help lists the commands.`;
  const name = `${entry.name} ${second ?? ''}`;
  const isWhole = !isGroup(entry) || entry.commands.some((one) => one.name === name);
  const named = isGroup(entry) && isWhole ? name : entry.name;
  return `${call} ${named} --help ${isWhole ? 'says more' : 'lists its commands'}.`;
}
