/**
 * The one reader of command lines. Words become options and arguments by `node:util`'s parseArgs; what they mean is in the
 * command's declaration (docs/decisions/0070-one-command.md).
 *
 * Invariant: everything that is wrong is named in one message, and nothing that was typed is ignored.
 */
import { parseArgs } from 'node:util';
import { type Command, flagOf, type Input, type Options } from './command.ts';
import type { Option } from './option.ts';
import { own } from './own.ts';
import type { Place } from './place.ts';
import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

type Texts = ReadonlyMap<string, readonly string[]>;

/** @param words What follows the command's name. @throws UsageError */
export function readInput<C>(command: Command<C>, words: readonly string[], place: Place): Input {
  const mistakes: string[] = [];
  const { given, positionals } = split(command, words, mistakes);
  const values = {
    ...readAll(command.options, (name) => ({ label: flagOf(name), texts: given.get(name) ?? [] })),
    ...readAll(command.args, argumentsOf(command, positionals, mistakes)),
  };
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  command.check(values);
  return values;

  function readAll(options: Options, textsOf: (name: string) => Given): Record<string, unknown> {
    const entries = Object.entries(options).map(([name, option]): [string, unknown] => {
      const { label, texts } = textsOf(name);
      return [name, attempt(() => option.read(texts, label, place), mistakes)];
    });
    return Object.fromEntries(entries);
  }
}

interface Given {
  /** What a message calls it. */
  readonly label: string;
  readonly texts: readonly string[];
}

function attempt<T>(read: () => T, mistakes: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    mistakes.push(error.message);
    return undefined;
  }
}

/** Texts by the option's name, and what is none. */
function split<C>(
  { name: command, options }: Command<C>,
  words: readonly string[],
  mistakes: string[],
): { readonly given: Texts; readonly positionals: readonly string[] } {
  const names = new Map(Object.keys(options).map((name) => [flagOf(name).slice(2), name]));
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      [...names].map(([flag, name]) => [
        flag,
        { type: options[name]?.placeholder === undefined ? 'boolean' : 'string' },
      ]),
    ),
    // Its messages name neither the command nor what was meant; the rules are below.
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const name = names.get(token.name);
    const option = name === undefined ? undefined : own(options, name);
    const mistake =
      name === undefined || option === undefined
        ? `${command} takes no option ${token.rawName}${suggestion(
            token.rawName,
            [...names.keys()].map((flag) => `--${flag}`),
          )}`
        : misuse(option, token);
    if (mistake !== undefined) mistakes.push(mistake);
    else given.set(name ?? '', [...(given.get(name ?? '') ?? []), token.value ?? '']);
  }
  return { given, positionals };
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  /** `--name=value` */
  readonly inlineValue?: boolean | undefined;
}

function misuse(option: Option, { rawName, value, inlineValue }: OptionToken): string | undefined {
  if (option.placeholder === undefined) {
    return value === undefined ? undefined : `${rawName} takes no value, so not '${value}'`;
  }
  if (value === undefined) return `${rawName} needs a value: <${option.placeholder}>`;
  // A shell variable that is empty must not take the next option away.
  const isOption = inlineValue !== true && value.length > 1 && value.startsWith('-');
  return isOption
    ? `${rawName} needs a value: <${option.placeholder}>; if '${value}' is meant, write ${rawName}=${value}`
    : undefined;
}

/** Each argument takes one text, and one that may be repeated takes what is left. */
function argumentsOf<C>(
  { name: command, args }: Command<C>,
  positionals: readonly string[],
  mistakes: string[],
): (name: string) => Given {
  const names = Object.keys(args);
  const takesAll = Object.values(args).some(({ isMany }) => isMany);
  const extra = takesAll ? [] : positionals.slice(names.length);
  if (extra.length > 0) {
    const takes = names.length === 0 ? '' : `; it takes ${names.map((name) => `<${name}>`).join(' ')}`;
    mistakes.push(`${command} takes no argument '${extra.join(' ')}'${takes}`);
  }
  return (name) => {
    const at = names.indexOf(name);
    const texts = args[name]?.isMany === true ? positionals.slice(at) : positionals.slice(at, at + 1);
    return { label: `<${name}>`, texts };
  };
}
