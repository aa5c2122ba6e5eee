/** `tandem logs`: what the sites of the stack on this machine wrote, both clouds in one list. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import type { LogLine } from '@tandem-clouds/emulators/otlp/log-line';
import { LOGS_PATH } from '@tandem-clouds/emulators/otlp/server';
import { askCollector } from './ask-collector.ts';
import type { LogListOptions } from './options.ts';
import { idsOf } from './traces.ts';

/** Of the attributes of a line, so that it stays one. */
const ATTRIBUTES_CHARS_MAX = 160;

/** Returns the exit status: 1 when no trace, or more than one, begins with the id. @throws TargetError */
export async function listLogs(options: LogListOptions, { out, err }: CommandContext): Promise<number> {
  const { level, text, site, limit, json, stack } = options;
  const traces = options.trace === undefined ? undefined : await idsOf(options.trace, options);
  if (traces !== undefined && traces.length !== 1) {
    const why = traces.length === 0 ? 'no trace begins with' : 'more than one trace begins with';
    err(`${why} ${options.trace ?? ''}\n`);
    return 1;
  }
  const query = new URLSearchParams({
    level,
    limit: String(limit),
    ...(traces?.[0] !== undefined && { trace: traces[0] }),
    ...(text !== undefined && { text }),
    ...(site !== undefined && { site }),
  });
  const { items } = (await askCollector(stack, `${LOGS_PATH}?${query.toString()}`)) as {
    items: readonly LogLine[];
  };
  // As they were written: the newest is what one reads first, below.
  const lines = items.toReversed();
  if (json) for (const line of lines) out(`${JSON.stringify(line)}\n`);
  else if (lines.length === 0) out('No such line in the last hour.\n');
  else out(`${aligned([['at', 'site', 'level', 'trace', 'message'], ...lines.map(rowOf)]).join('\n')}\n`);
  return 0;
}

function rowOf({ atMs, site, level, traceId = '-', message, attributes }: LogLine): string[] {
  const more = JSON.stringify(attributes);
  const cut = more.length > ATTRIBUTES_CHARS_MAX ? `${more.slice(0, ATTRIBUTES_CHARS_MAX)}…` : more;
  return [
    new Date(atMs).toISOString().slice(11, 23),
    site,
    level,
    traceId.slice(0, 8),
    more === '{}' ? message : `${message} ${cut}`,
  ];
}
