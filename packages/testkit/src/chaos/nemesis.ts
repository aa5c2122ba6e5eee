/** Carries a plan out against the cluster, and keeps count of what it really did. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { type Action, clock, describe, type Episode } from './plan.ts';
import { purgeUntil } from './purge.ts';
import type { Provider } from './reactions/provider.ts';
import type { Sandbox } from './shop/sandbox.ts';

/** A process that is between two lives is killed when it is back, if that is soon. */
const VICTIM_WITHIN_MS = 20_000;
const VICTIM_POLL_MS = 100;

/** What was done, and how often. */
export interface InjectedFaults {
  /** Of one line each, with the time since the beginning. */
  readonly timeline: string[];
  /** What → how often. */
  readonly counts: Map<string, number>;
}

export interface UnleashOptions {
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
  /** Whom reactions call; without one its faults are none. */
  readonly provider?: Provider;
  /** The payment provider's; without one its faults are none. */
  readonly sandbox?: Sandbox;
}

/**
 * Resolves when the last episode has begun and ended, or with the signal. Faults that are on then are taken away by
 * `TestCluster.heal`.
 */
export async function unleash(
  cluster: TestCluster,
  plan: readonly Episode[],
  { signal, progress, provider, sandbox }: UnleashOptions,
): Promise<InjectedFaults> {
  const beganMs = performance.now();
  const injectedFaults: InjectedFaults = { timeline: [], counts: new Map() };
  const note = (text: string): void => {
    const line = `${clock(performance.now() - beganMs)} ${text}`;
    injectedFaults.timeline.push(line);
    progress(line);
  };
  const count = (name: string, by: number): void =>
    void injectedFaults.counts.set(name, (injectedFaults.counts.get(name) ?? 0) + by);
  const run = async ({ atMs, forMs, action }: Episode): Promise<void> => {
    if (!(await slept(atMs - (performance.now() - beganMs), signal))) return;
    const end = await begin({ cluster, signal, provider, sandbox, count }, action);
    if (end === undefined) {
      note(`${describe(action)}: it was not running`);
      return;
    }
    count(nameOf(action), 1);
    note(describe(action));
    if (forMs === 0) return;
    await slept(forMs, signal);
    end();
    note(`end of ${describe(action)}`);
  };
  await Promise.all(plan.map(run));
  return injectedFaults;
}

/** What is counted together. */
function nameOf(action: Action): string {
  switch (action.kind) {
    case 'kill':
      return `SIGKILL of ${action.victim === 'edge' ? 'the edge' : `${action.victim} at ${action.site}`}`;
    case 'partition':
      return action.links.length > 1 ? 'partition, both ways' : 'partition, one way';
    case 'slow link':
      return 'slow link';
    case 'skew':
      return 'clock skew';
    case 'upgrade':
      return 'upgrade';
    case 'outage':
      return 'a whole site away';
    case 'purge':
      return 'purged queue of reactions';
    case 'provider':
      return `provider ${action.fault}`;
    case 'payments':
      return `payments: ${action.what}`;
    case 'throttling':
    case 'lost answers':
    case 'latency':
    case 'duplicates':
    case 'reordering':
    case 'cut transfers':
    case 'other bytes':
      return action.kind;
  }
}

interface Victims {
  readonly cluster: TestCluster;
  readonly provider: Provider | undefined;
  readonly sandbox: Sandbox | undefined;
  readonly signal: AbortSignal;
  readonly count: (name: string, by: number) => void;
}

/** Starts an action and returns what ends it; undefined when there was nothing to do it to. */
async function begin(
  { cluster, provider, sandbox, signal, count }: Victims,
  action: Action,
): Promise<(() => void) | undefined> {
  switch (action.kind) {
    case 'kill':
      return (await killSoon(cluster, action, signal)) ? () => undefined : undefined;
    case 'partition':
      return cluster.cut(action.links, action.cut);
    case 'slow link':
      return cluster.slow(action.links, action.delayMs);
    case 'skew':
      return cluster.clocks.skew(action.site, action.offsetMs);
    case 'upgrade':
      await cluster.upgrade(action.site);
      return () => undefined;
    case 'outage':
      return cluster.takeAway(action.site);
    case 'purge':
      return purgeUntil(cluster, {
        site: action.site,
        queue: 'tandem-react',
        onPurged: (messages) => count('messages purged', messages),
      });
    case 'provider':
      return provider?.impose(action.fault);
    case 'payments':
      return sandbox?.impose(action.rules);
    case 'throttling':
    case 'lost answers':
    case 'latency':
    case 'duplicates':
    case 'reordering':
    case 'cut transfers':
    case 'other bytes':
      return cluster.hooks.impose(action.site, action.service, action.rules);
  }
}

async function killSoon(
  cluster: TestCluster,
  { victim, site }: Extract<Action, { kind: 'kill' }>,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + VICTIM_WITHIN_MS;
  while (performance.now() < deadline) {
    if (cluster.kill(victim, site)) return true;
    if (!(await slept(VICTIM_POLL_MS, signal))) return false;
  }
  return false;
}

/** False when the signal came first. */
async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(Math.max(0, ms), undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
