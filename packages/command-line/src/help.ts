/** Help texts, from the declarations. */
import { type Command, flagOf, type Group, isGroup, type Options, type Program } from './command.ts';
import type { Option } from './option.ts';
import { aligned } from './table.ts';

const EXIT_STATUS = 'Exit status: 0 done, 1 failed or refused, 2 wrong usage.';

export function programHelp<C>({ call, summary, sections, details = '' }: Program<C>): string {
  const rows = sections.flatMap(({ entries }) => entries.map((entry) => rowOf(entry)));
  const lines = aligned(rows);
  let at = 0;
  const lists = sections.flatMap(({ title, entries }) => {
    const own = lines.slice(at, at + entries.length);
    at += entries.length;
    return [title, ...own, ''];
  });
  return page([
    `Usage: ${call} <command> [options]`,
    '',
    summary,
    '',
    ...lists,
    `${call} <command> --help, -h or ${call} help <command> says more of one.`,
    ...(details === '' ? [] : ['', details.trimEnd()]),
    EXIT_STATUS,
  ]);
}

export function groupHelp<C>({ name, summary, commands }: Group<C>, call: string): string {
  return page([
    `Usage: ${call} ${name} <command> [options]`,
    '',
    sentence(summary),
    '',
    'Commands',
    ...aligned(commands.map((one) => rowOf(one))),
    '',
    `${call} ${name} <command> --help says more of one.`,
    EXIT_STATUS,
  ]);
}

export function commandHelp<C>(command: Command<C>, call: string): string {
  const { name, summary, details, args, options, examples } = command;
  const usage = [call, name, ...Object.entries(args).map(argumentText), '[options]'];
  const named = Object.entries(args).map(([arg, option]) => [`  <${arg}>`, summaryOf(option)]);
  const flags = Object.entries(options).map(([key, option]) => [
    `  ${flagOf(key)}${option.placeholder === undefined ? '' : ` ${placeholderOf(option)}`}`,
    summaryOf(option),
  ]);
  const rows = aligned([...named, ...flags, ['  --help, -h', 'show this']]);
  return page([
    `Usage: ${usage.join(' ')}`,
    '',
    sentence(summary),
    '',
    ...(named.length === 0 ? [] : ['Arguments', ...rows.slice(0, named.length), '']),
    'Options',
    ...rows.slice(named.length),
    '',
    ...(details === '' ? [] : [details.trimEnd(), '']),
    'Examples',
    ...examples.flatMap(({ line, shows }) => [`  ${call} ${line}`, `      ${shows}`]),
    '',
    EXIT_STATUS,
  ]);
}

function page(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function rowOf<C>(entry: Command<C> | Group<C>): string[] {
  if (!isGroup(entry)) {
    const args = Object.entries(entry.args).map(argumentText);
    return [`  ${[entry.name, ...args].join(' ')}`, entry.summary];
  }
  const names = entry.commands.map(({ name }) => name.slice(entry.name.length + 1));
  return [`  ${entry.name} <command>`, `${entry.summary}: ${names.join(', ')}`];
}

function argumentText([name, { isMany, isRequired }]: readonly [string, Option]): string {
  const text = isMany ? `<${name}> …` : `<${name}>`;
  return isRequired ? text : `[${text}]`;
}

function placeholderOf({ placeholder = '', choices }: Option): string {
  return choices.length > 0 ? placeholder : `<${placeholder}>`;
}

function summaryOf({ summary, fallback, isMany, placeholder }: Option): string {
  const repeated = isMany && placeholder !== undefined ? '; may be repeated' : '';
  return `${summary}${repeated}${fallback === undefined ? '' : `  (${fallback})`}`;
}

function sentence(summary: string): string {
  return `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`;
}

/** The names that a command line can have, for what suggests and completes. */
export function flagsOf(options: Options): string[] {
  return [...Object.keys(options).map(flagOf), '--help'];
}
