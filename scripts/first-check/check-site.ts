/**
 * Asks a site to make its probes, and adds what only somebody outside can see: whether the other functions answer, whether
 * the triggers take what was sent, and what the site's own address negotiates.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { getJson } from '@tandem-clouds/operator/get-json';
import { OperatorApi } from '@tandem-clouds/operator/operator-api';
import type { Target } from '@tandem-clouds/operator/targets';
import { tlsProbe } from '../../src/shared/adapters/negotiated-tls.ts';
import { firstCheck } from '../../src/shared/operations/first-check.ts';
import type { Finding, Probe } from '../../src/shared/ports/probe.ts';
import { readFinding, type Reading } from './read-finding.ts';

/** A cold trigger takes some seconds; SQS's counts lag behind by up to a minute. */
const EMPTIED_WITHIN_MS = 90_000;
const POLL_MS = 1_000;

export interface CheckOptions {
  readonly emptiedWithinMs?: number;
  readonly pollMs?: number;
}

export interface SiteReport {
  readonly site: string;
  readonly cloud: 'aws' | 'azure';
  readonly readings: readonly Reading[];
}

/** @throws TargetError when the site does not answer an operator. */
export async function checkSite(target: Target, options: CheckOptions = {}): Promise<SiteReport> {
  const { emptiedWithinMs = EMPTIED_WITHIN_MS, pollMs = POLL_MS } = options;
  const { cloud } = (await getJson(new URL('/region', target.url))) as { cloud: 'aws' | 'azure' };
  const api = new OperatorApi(target);
  const { site, findings } = await api.firstCheck();
  const outside: Probe[] = [
    { id: 'http.health', run: () => responses(target, '/health/deep') },
    { id: 'http.replication', run: () => responses(target, '/replication') },
    tlsProbe('this site', target.url),
    { id: 'triggers', subject: 'all', run: () => emptied(api, emptiedWithinMs, pollMs) },
  ];
  const seen: readonly Finding[] = [
    ...findings,
    ...(await firstCheck([outside], () => performance.now(), emptiedWithinMs + 30_000)),
  ];
  return { site, cloud, readings: seen.map((finding) => readFinding(finding, cloud)) };
}

async function responses({ url }: Target, path: string): Promise<string> {
  await getJson(new URL(path, url));
  return 'HTTP 200';
}

/** Until `forward` and `apply` have taken everything: also the probes. The other queues are not counted. */
async function emptied(api: OperatorApi, withinMs: number, pollMs: number): Promise<string> {
  const began = performance.now();
  for (;;) {
    const { out, in: inbound } = await api.queues();
    const left = out.messages + inbound.messages;
    const tookMs = Math.round(performance.now() - began);
    if (left === 0) return `emptied within ${tookMs} ms`;
    if (tookMs > withinMs)
      throw new Error(
        `after ${Math.round(tookMs / 1_000)} s tandem-out holds ${out.messages} messages and tandem-in ${inbound.messages}`,
      );
    await delay(pollMs);
  }
}
