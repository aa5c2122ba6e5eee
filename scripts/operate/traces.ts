/** `tandem traces`: what the stack on this machine did for a request, over both clouds. */
import { styleText } from 'node:util';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import { LIST_MAX, TRACES_PATH } from '@tandem-clouds/emulators/otlp/server';
import type { Trace, TraceSummary } from '@tandem-clouds/emulators/otlp/trace';
import { askCollector } from './ask-collector.ts';
import type { TraceListOptions, TraceOptions } from './options.ts';
import { waterfall } from './waterfall.ts';

/** Returns the exit status. @throws TargetError when no stack runs, or it does not answer. */
export async function listTraces(options: TraceListOptions, { out }: CommandContext): Promise<number> {
  const { route, minMs, failed, all, limit, json } = options;
  const query = new URLSearchParams({
    minMs: String(minMs),
    failed: String(failed),
    all: String(all),
    limit: String(limit),
    ...(route !== undefined && { route }),
  });
  const { items } = (await askCollector(options.stack, `${TRACES_PATH}?${query.toString()}`)) as {
    items: readonly TraceSummary[];
  };
  if (json) for (const item of items) out(`${JSON.stringify(item)}\n`);
  else if (items.length === 0) out('No such trace in the last hour.\n');
  else
    out(`${aligned([['trace', 'began', 'ms', 'spans', 'sites', 'what'], ...items.map(rowOf)]).join('\n')}\n`);
  return 0;
}

/** Returns the exit status: 1 when there is none. @throws TargetError */
export async function showTrace(id: string, options: TraceOptions, context: CommandContext): Promise<number> {
  const { out, err, colour } = context;
  const found = await idsOf(id, options);
  const [traceId] = found;
  if (traceId === undefined || found.length > 1) {
    const why = traceId === undefined ? 'no trace begins with' : 'more than one trace begins with';
    err(`${why} ${id}\n`);
    return 1;
  }
  const trace = (await askCollector(options.stack, `${TRACES_PATH}/${traceId}`)) as Trace;
  if (options.json) out(`${JSON.stringify(trace)}\n`);
  else
    out(
      `${waterfall(trace)
        .map(({ text, failed }) => (failed && colour ? red(text) : text))
        .join('\n')}\n`,
    );
  return 0;
}

function red(text: string): string {
  return styleText('red', text, { validateStream: false });
}

/** A whole id is asked for as it is: it may be older than what a list holds. */
export async function idsOf(id: string, options: TraceOptions): Promise<readonly string[]> {
  if (/^[0-9a-f]{32}$/.test(id)) return [id];
  const { items } = (await askCollector(options.stack, `${TRACES_PATH}?all=true&limit=${LIST_MAX}`)) as {
    items: readonly TraceSummary[];
  };
  return items.map(({ traceId }) => traceId).filter((traceId) => traceId.startsWith(id));
}

function rowOf({ traceId, at, ms, spans, sites, name, failed }: TraceSummary): string[] {
  return [
    traceId,
    at.slice(11, 23),
    ms.toFixed(1),
    String(spans),
    sites.join(', '),
    failed ? `${name} (something failed)` : name,
  ];
}
