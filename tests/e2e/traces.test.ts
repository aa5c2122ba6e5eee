/** One write at one cloud is one trace over both, as `npm start` keeps it and `tandem traces` shows it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TRACES_PATH } from '@tandem-clouds/emulators/otlp/server';
import type { Trace } from '@tandem-clouds/emulators/otlp/trace';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { waterfall } from '../../scripts/operate/waterfall.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const START_MS = 180_000;
let stack: OwnStack;

beforeAll(async () => {
  stack = await startOwnStack('--ephemeral', '--types', 'off');
}, START_MS);
afterAll(() => stack.stop(), START_MS);

test.each(['aws', 'azure'])(
  'a write at %s is followed to the other cloud',
  async (cloud) => {
    const { sites, traces } = stack.describe();
    const here = sites.find((site) => site.cloud === cloud);
    const there = sites.find((site) => site.cloud !== cloud);
    const traceId = (cloud === 'aws' ? 'a' : 'b').repeat(32);
    const response = await fetch(`${here?.url ?? ''}/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
      body: JSON.stringify({ id: `traced-at-${cloud}`, data: {} }),
    });
    expect(response.status).toBe(201);
    const trace = await waitUntil('the write in the traces of both sites', async () => {
      const found = await fetch(`${traces.url}${TRACES_PATH}/${traceId}`);
      if (!found.ok) return undefined;
      const whole = (await found.json()) as Trace;
      // A call that outlasts its batch, on a busy machine, is sent with the next one.
      const has = (site: string | undefined, wanted: string): boolean =>
        whole.spans.some((span) => span.site === site && span.name === wanted);
      const isWhole =
        has(here?.site, 'forward tandem-out') &&
        has(here?.site, 'putMany records') &&
        // What it put is in a trace of its own where it took other events along.
        has(there?.site, 'apply tandem-in');
      return isWhole ? whole : undefined;
    });
    const { spans } = trace;
    const path: string[] = [];
    // From the apply at the other cloud back to the request.
    let at = spans.find(({ name }) => name === 'apply tandem-in');
    for (; at !== undefined; at = spans.find(({ spanId }) => spanId === at?.parentId))
      path.push(`${at.site}: ${at.name}`);
    expect(path.reverse()).toEqual([
      `${here?.site ?? ''}: POST /write`,
      `${here?.site ?? ''}: send tandem-out`,
      `${here?.site ?? ''}: forward tandem-out`,
      `${here?.site ?? ''}: send tandem-in`,
      `${there?.site ?? ''}: apply tandem-in`,
    ]);
    const lines = waterfall(trace).map(({ text }) => text);
    expect(lines[0]).toContain(traceId);
    expect(lines.join('\n')).toContain(`send tandem-in → ${there?.site ?? ''}`);
  },
  START_MS,
);
