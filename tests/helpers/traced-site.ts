/** Tracing of a test: what was sent is in a list, clock and ids are known. */
import { cloudNames } from '../../src/shared/adapters/tracing/cloud-names.ts';
import { openTracing } from '../../src/shared/adapters/tracing/open-tracing.ts';
import type { Span } from '../../src/shared/adapters/tracing/span.ts';
import { Tracer } from '../../src/shared/adapters/tracing/tracer.ts';
import type { Tracing } from '../../src/shared/ports/tracing.ts';

export interface TracedSite {
  readonly tracing: Tracing;
  readonly tracer: Tracer;
  /** What the sender was given. */
  readonly spans: Span[];
  /** How long each invocation would have waited for the sender. */
  readonly waitsMs: number[];
}

export function tracedSite({
  ratio = 1,
  cloud = 'aws',
}: { ratio?: number; cloud?: 'aws' | 'azure' } = {}): TracedSite {
  const spans: Span[] = [];
  const waitsMs: number[] = [];
  let clockMs = 1_000_000;
  let id = 0;
  const tracer = new Tracer({
    ratio,
    now: () => clockMs,
    elapsed: () => (clockMs += 1),
    randomHex: (bytes) => String((id += 1)).padStart(bytes * 2, '7'),
    sender: {
      add: (more) => void spans.push(...more),
      flush: (withinMs) => {
        waitsMs.push(withinMs);
        return Promise.resolve();
      },
    },
  });
  const queuesOf = (peer: string): string => cloudNames[peer.startsWith('aws') ? 'aws' : 'azure'].queues;
  return { tracer, spans, waitsMs, tracing: openTracing({ tracer, names: cloudNames[cloud], queuesOf }) };
}
