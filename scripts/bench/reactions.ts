/**
 * `bench reactions`: how long after its acknowledgement a change is acted on, beside how long until it is readable at the other
 * cloud, at both sites at once, at a steady rate, without faults, over the whole local stack.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '@tandem-clouds/command-line/running-stack';
import { openSiteStore } from '@tandem-clouds/local/stack/site-store';
import { createParcel } from '@tandem-clouds/testkit/chaos/reactions/changes';
import { withParcels } from '@tandem-clouds/testkit/chaos/reactions/parcel';
import type { Provider } from '@tandem-clouds/testkit/chaos/reactions/provider';
import { withOwnStack } from '@tandem-clouds/testkit/cluster/own-stack';
import { send } from '@tandem-clouds/testkit/cluster/request';
import { Lags } from '@tandem-clouds/testkit/observe/lags';
import { Random } from '@tandem-clouds/testkit/random';
import { lagFigures } from '@tandem-clouds/testkit/report/lag-figures';
import { commandLine, figure, type Findings, report } from '@tandem-clouds/testkit/report/report';
import { withFootprint } from './lag/footprint.ts';
import { openLoop } from './lag/open-loop.ts';
import { ROOT } from './service-bundles.ts';

const SEEN_WITHIN_MS = 30_000;
const POLL_MS = 100;

const time = { now: () => performance.now(), sleep: (ms: number) => sleep(ms) };

interface Options {
  /** Changes a second, at each site. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** Changes on schedule, at both sites at once, half a period apart. @throws Error when one was not acknowledged */
async function change(
  { sites }: Stack,
  lags: Lags,
  { rate, seconds, name }: { rate: number; seconds: number; name: string },
): Promise<void> {
  const loops = sites.map(({ site, url }, at) =>
    openLoop({ rate, seconds, offsetMs: (at * 500) / rate }, time, async (n) => {
      const attempt = await send(createParcel(`${name}-${site}-${n}`), { name: site, url });
      if (attempt.result !== 'acknowledged')
        throw new Error(`${site}: ${attempt.status} ${attempt.problem ?? ''}`);
      lags.answered(attempt);
    }),
  );
  await Promise.all(loops);
}

/** @throws Error when a change is not seen, or not acted on, in time */
async function untilSeen(lags: Lags): Promise<void> {
  const deadline = time.now() + SEEN_WITHIN_MS;
  for (;;) {
    const open = lags
      .all()
      .filter(({ replicatedMs, reactedMs }) => replicatedMs === undefined || reactedMs === undefined);
    if (open.length === 0) return;
    if (time.now() > deadline)
      throw new Error(`${open.length} changes were not seen or not acted on within ${SEEN_WITHIN_MS} ms`);
    await sleep(POLL_MS);
  }
}

async function measure(
  stack: Stack,
  provider: Provider,
  { rate, seconds, warmUpSeconds, progress }: Options & { readonly progress: (line: string) => void },
): Promise<Findings> {
  const [first, second] = stack.sites;
  if (first === undefined || second === undefined) throw new Error('the stack has fewer than two sites');
  const stores = new Map(stack.sites.map((site) => [site.site, openSiteStore(site)]));
  const stop = new AbortController();
  const lags = new Lags({
    sites: [first.site, second.site],
    store: (site) => {
      const opened = stores.get(site);
      if (opened === undefined) throw new Error(`no site ${site}`);
      return opened.store;
    },
    signal: stop.signal,
  });
  provider.onCall = (call) => lags.called(call.change, call.atMs);
  try {
    if (warmUpSeconds > 0) {
      progress(`warming up for ${warmUpSeconds} s`);
      await change(stack, lags, { rate, seconds: warmUpSeconds, name: 'warm' });
      await untilSeen(lags);
    }
    progress(`${rate} changes a second at each site for ${seconds} s`);
    const beganMs = Date.now();
    const { footprint } = await withFootprint(() => change(stack, lags, { rate, seconds, name: 'bench' }));
    await untilSeen(lags);
    const samples = lags.all().filter(({ acknowledgedAtMs }) => acknowledgedAtMs >= beganMs);
    const names = new Set(provider.calls.map(({ effectId }) => effectId));
    return {
      figures: [
        ...lagFigures('both sites', samples),
        ...stack.sites.flatMap(({ site }) =>
          lagFigures(
            site,
            samples.filter((sample) => sample.site === site),
          ),
        ),
        figure('repeated calls', provider.calls.length - names.size, '', { exactly: 0 }),
      ],
      notes: [
        'write to run: from the answer that acknowledged a change to the call at the provider, which is a server of this ' +
          "machine; to readable: to the first strongly consistent read of the peer's store that shows it",
        `clients, provider, probes and the whole stack share this machine, which was idle for ` +
          `${(footprint.idleShare * 100).toFixed(0)} % of the time; the bench itself took ` +
          `${footprint.ownCores.toFixed(2)} cores, and its event loop was late by ${footprint.lateP99Ms.toFixed(1)} ms (p99)`,
      ],
    };
  } finally {
    stop.abort();
    for (const { close } of stores.values()) close();
  }
}

/** Returns the exit status. */
export async function benchReactions({
  rate,
  seconds,
  warmUp: warmUpSeconds,
  json,
}: {
  readonly rate: number;
  readonly seconds: number;
  /** Seconds. */
  readonly warmUp: number;
  readonly json: boolean;
}): Promise<number> {
  const title = `Reactions at ${rate} changes/s at each site`;
  return report({ title, json, command: commandLine(process.argv, ROOT) }, (progress) =>
    withParcels(new Random(1), ({ project, provider }) => {
      progress('starting a stack of its own');
      return withOwnStack(
        (stack) => measure(stack, provider, { rate, seconds, warmUpSeconds, progress }),
        project,
      );
    }),
  );
}
