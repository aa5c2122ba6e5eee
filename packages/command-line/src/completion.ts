/**
 * Completion scripts from the declarations: commands, options, words of a choice, files.
 *
 * A script is complete in itself, so that no process starts at the tab key, and defines the command `tandem`, because npm's
 * own arguments cannot be completed. npm says where the person stood, so paths stay what they look like (place.ts).
 */
import { type Command, commandsOf, entriesOf, flagOf, isGroup, type Program } from './command.ts';
import { flagsOf } from './help.ts';
import type { Option } from './option.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** @param root Of the project. */
export function completionScript<C>(program: Program<C>, shell: Shell, root: string): string {
  const write = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return write(tableOf(program), `npm run --silent --prefix ${quoted(root)} tandem --`);
}

interface Word {
  readonly word: string;
  readonly summary: string;
}

/** What can follow. */
interface Place {
  /** The words before: '', `dns`, `dns plan`. */
  readonly path: string;
  /** Commands, or the words of a command's arguments. */
  readonly words: readonly Word[];
  readonly flags: readonly Word[];
  /** Options that take a value. */
  readonly values: readonly ValueOption[];
}

interface ValueOption {
  readonly flag: string;
  /** None: it is a path, or nobody knows. */
  readonly words: readonly string[];
  readonly isPath: boolean;
}

const HELP: Word = { word: '--help', summary: 'show this' };

function tableOf<C>(program: Program<C>): readonly Place[] {
  const entries = entriesOf(program);
  const top: Place = {
    path: '',
    words: [...entries, { name: 'help', summary: 'say more of one' }].map(wordOf),
    flags: [HELP, { word: '--version', summary: 'which one this is' }],
    values: [],
  };
  const groups = entries.filter(isGroup).map(({ name, commands }): Place => ({
    path: name,
    words: commands.map((one) => wordOf({ ...one, name: one.name.slice(name.length + 1) })),
    flags: [HELP],
    values: [],
  }));
  return [top, ...groups, ...commandsOf(program).map(placeOf)];
}

function wordOf({ name, summary }: { readonly name: string; readonly summary: string }): Word {
  return { word: name, summary };
}

function placeOf<C>({ name, args, options }: Command<C>): Place {
  const summaries = new Map(Object.entries(options).map(([key, { summary }]) => [flagOf(key), summary]));
  const given: readonly Option[] = Object.values(args);
  return {
    path: name,
    words: given.flatMap(({ choices }) => choices.map((word) => ({ word, summary: '' }))),
    flags: flagsOf(options).map((word) => ({ word, summary: summaries.get(word) ?? HELP.summary })),
    values: Object.entries(options)
      .filter(([, { placeholder }]) => placeholder !== undefined)
      .map(([key, { choices, completes }]) => ({
        flag: flagOf(key),
        words: choices,
        isPath: completes !== undefined,
      })),
  };
}

/** For a shell, and for a list of words within quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const words = (list: readonly Word[]): string => list.map(({ word }) => word).join(' ');

/** What completes the value of the option before; a word that nobody knows is left to the person. */
function valueCases(places: readonly Place[], complete: (option: ValueOption) => string): string {
  return places
    .flatMap(({ path, values }) =>
      values.map((option) => `    ${quoted(`${path} ${option.flag}`)}) ${complete(option)}; return ;;`),
    )
    .join('\n');
}

function bashScript(places: readonly Place[], call: string): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `tandem() { ${call} "$@"; }

_tandem() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' next list index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="\${path:+$path }\${COMP_WORDS[index]}"
    case "$next" in
      ${paths.join('|')}) path="$next" ;;
      *) break ;;
    esac
  done
  case "$path $before" in
${valueCases(places, ({ words: list, isPath }) => {
  if (list.length > 0) return `COMPREPLY=($(compgen -W ${quoted(list.join(' '))} -- "$current"))`;
  return isPath ? 'compopt -o default 2> /dev/null' : ':';
})}
  esac
  case "$path" in
${places.map(({ path, words: list, flags }) => `    ${quoted(path)}) list=${quoted(words([...list, ...flags]))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$list" -- "$current"))
}
complete -F _tandem tandem
`;
}

/** A word and what it does, as _describe wants them. */
function described({ word, summary }: Word): string {
  const text = word.replaceAll(':', '\\:');
  return quoted(summary === '' ? text : `${text}:${summary}`);
}

function zshScript(places: readonly Place[], call: string): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `tandem() { ${call} "$@"; }

_tandem() {
  local path_so_far='' next index
  local -a list flags
  for ((index = 2; index < CURRENT; index++)); do
    next="\${path_so_far:+$path_so_far }\${words[index]}"
    case "$next" in
      ${paths.join('|')}) path_so_far="$next" ;;
      *) break ;;
    esac
  done
  case "$path_so_far \${words[CURRENT-1]}" in
${valueCases(places, ({ words: list, isPath }) => {
  if (list.length > 0) return `compadd -- ${list.map(quoted).join(' ')}`;
  return isPath ? '_files' : ':';
})}
  esac
  case "$path_so_far" in
${places
  .map(
    ({ path, words: list, flags }) =>
      `    ${quoted(path)}) list=(${list.map(described).join(' ')}); flags=(${flags.map(described).join(' ')}) ;;`,
  )
  .join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* || \${#list} -eq 0 ]]; then _describe 'option' flags; else _describe 'command' list; fi
}
if ! whence compdef > /dev/null; then autoload -Uz compinit && compinit; fi
compdef _tandem tandem
`;
}

function fishScript(places: readonly Place[], call: string): string {
  const commands = places.filter(({ path }) => path !== '');
  return `function tandem
    ${call} $argv
end

function __tandem_path
    set -l path
    for word in (commandline -opc)[2..]
        set -l next (string join -- ' ' $path $word)
        contains -- "$next" ${commands.map(({ path }) => quoted(path)).join(' ')}; or break
        set path $next
    end
    echo -n "$path"
end

complete -c tandem -f
${places.flatMap(fishLines).join('\n')}
`;
}

function fishLines({ path, words: list, flags, values }: Place): string[] {
  const here = `complete -c tandem -n ${quoted(`test "$(__tandem_path)" = "${path}"`)}`;
  return [
    ...list.map(({ word, summary }) => `${here} -a ${quoted(word)} -d ${quoted(summary)}`),
    ...flags.map(({ word, summary }) => {
      const value = values.find(({ flag }) => flag === word);
      const takes = value === undefined ? '' : fishValue(value);
      return `${here} -l ${word.slice(2)}${takes} -d ${quoted(summary)}`;
    }),
  ];
}

function fishValue({ words: list, isPath }: ValueOption): string {
  if (list.length > 0) return ` -x -a ${quoted(list.join(' '))}`;
  return isPath ? ' -r -F' : ' -x';
}
