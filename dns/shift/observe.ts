/** Looks at a site with real requests: those of a client, its own deep health, and what it says of replication. */
import type { PeerState, Sample } from './gates.ts';

const ANSWER_WITHIN_MS = 5_000;

export interface Scan {
  readonly site: string;
  readonly url: string;
  /** None: only replication is asked for, as the site gets no traffic. */
  readonly requests: number;
}

/** Never rejects: what fails is part of the sample. */
export type Observe = (sample: Scan) => Promise<Sample>;

export const observeOverHttp: Observe = async ({ site, url, requests }) => {
  const paths = Array.from({ length: requests }, (_request, index) =>
    index === 0 ? '/health/deep' : '/region',
  );
  const [peers, ...answers] = await Promise.all([
    readPeers(url),
    ...paths.map(async (path) => timed(url, path)),
  ]);
  return {
    site,
    latenciesMs: answers.map(({ ms }) => ms),
    errors: answers.filter(({ ok }) => !ok).length,
    peers,
  };
};

async function timed(url: string, path: string): Promise<{ ok: boolean; ms: number }> {
  const startedMs = performance.now();
  let ok = false;
  try {
    const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await response.arrayBuffer();
    ok = response.status < 500;
  } catch {
    // No answer is an error that took as long as it took.
  }
  return { ok, ms: performance.now() - startedMs };
}

/** `GET /replication`, as openapi.yaml describes it. */
interface Replication {
  readonly now: string;
  readonly peers: readonly {
    readonly site: string;
    readonly safeTime: string;
    readonly exposure: { readonly keys: number };
    readonly oldestPendingMs: number;
  }[];
}

async function readPeers(url: string): Promise<readonly PeerState[] | string> {
  try {
    const response = await fetch(new URL('/replication', url), {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.status !== 200) return `/replication answers ${response.status}`;
    const { now, peers } = (await response.json()) as Replication;
    return peers.map(({ site, safeTime, exposure, oldestPendingMs }) => ({
      site,
      lagMs: oldestPendingMs,
      safeTimeBehindMs: Date.parse(now) - Date.parse(safeTime),
      exposedKeys: exposure.keys,
    }));
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    return `/replication: ${name === 'TimeoutError' ? 'no answer' : (cause?.code ?? message)}`;
  }
}
