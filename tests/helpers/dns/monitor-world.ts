/** Two sites, a zone at an emulator of Route 53, and any number of monitors over it. */
import { type Route53Server, startRoute53 } from '@tandem-clouds/emulators/route53/server';
import { type VirtualClock, virtualClock } from '@tandem-clouds/testkit/virtual-clock';
import { type Incident, incidentsIn } from '../../../dns/incidents.ts';
import { incidentFiles, noIncidentFiles } from '../../../dns/monitor/incident-file.ts';
import type { MonitorContext } from '../../../dns/monitor/monitor-context.ts';
import { parseRunbooks, type Runbook } from '../../../dns/monitor/runbook.ts';
import { type Overrides, overridesIn } from '../../../dns/overrides.ts';
import { applyPlan } from '../../../dns/plan/apply-plan.ts';
import { readAndPlan } from '../../../dns/plan/plan.ts';
import type { Policy } from '../../../dns/policy/policy.ts';
import type { Provider } from '../../../dns/provider.ts';
import { Route53Provider } from '../../../dns/providers/route53/provider.ts';
import type { Observe } from '../../../dns/shift/observe.ts';
import { policyOf, ZONE } from './fixtures.ts';
import type { RequestsInTurn } from './requests-in-turn.ts';

export const A = 'aws-us-east-1';
export const B = 'azure-eastus';

const NAMES = `\n  - { name: api, strategy: weighted, sites: [${A}, ${B}] }`;

export const LOST = `
description: A site does not answer.
trigger: { when: { unhealthy: true }, forSeconds: 20, samples: 3 }
clear: { forSeconds: 60, maxSeconds: 600 }
actions:
  - do: failover
  - do: openIncident
  - { do: checkCapacity, limits: { p99Ms: 100 } }
  - { do: notify, to: chat }
over:
  - { do: restore, now: true }
  - { do: notify, to: chat }
`;

export interface World {
  readonly server: Route53Server;
  readonly clock: VirtualClock;
  readonly policy: Policy;
  /** Who answers; the provider's checks find out by `check`. */
  readonly up: Record<string, boolean>;
  /** Lets the provider's checks look. */
  check(): void;
  runbooks(text?: string): readonly Runbook[];
  fresh(): Provider;
  monitorContext(more?: Partial<MonitorContext>): MonitorContext & { readonly lines: string[] };
  zone(): Promise<{ readonly overrides: Overrides; readonly incidents: readonly Incident[] }>;
}

export interface WorldOptions {
  /** For incident files. */
  readonly dir?: string;
  /** What the requests of all monitors go through. */
  readonly requestHandler?: RequestsInTurn['requestHandler'];
}

/** With the policy applied. */
export async function monitorWorld({ dir, requestHandler }: WorldOptions = {}): Promise<World> {
  const clock = virtualClock();
  const server = await startRoute53(ZONE, clock, { limited: false });
  const credentials = { accessKeyId: 'RIGHT', secretAccessKey: 'secret' };
  const config = { endpoint: server.url, credentials, ...(requestHandler && { requestHandler }) };
  const fresh = (): Provider => new Route53Provider({ zone: ZONE, clock, config });
  const policy = policyOf({ names: NAMES, records: '[]' });
  const up: Record<string, boolean> = { [A]: true, [B]: true };
  await applyPlan(await readAndPlan(policy, fresh()), fresh());
  const check = (): void => {
    for (const one of server.checks.values()) {
      one.healthy =
        up[one.HealthCheckConfig['FullyQualifiedDomainName'] === 'a.example.net' ? A : B] ?? false;
    }
  };
  check();
  const observe = observeOf((site) => up[site] ?? false);
  return {
    server,
    clock,
    policy,
    up,
    check,
    fresh,
    runbooks: (text = LOST) => parseRunbooks([{ file: 'lost.yml', text }], policy),
    monitorContext: (more = {}) => {
      const lines: string[] = [];
      return {
        policy,
        provider: fresh(),
        clock,
        observe,
        probe: ({ host }) => Promise.resolve(up[host === 'a.example.net' ? A : B] ?? false),
        report: (text) => void lines.push(text),
        signal: new AbortController().signal,
        owner: 'monitor',
        webhooks: new Map(),
        operatorKey: undefined,
        incidents: dir === undefined ? noIncidentFiles : incidentFiles(dir, () => clock.now()),
        scalers: new Map(),
        lines,
        ...more,
      };
    },
    async zone() {
      const { records } = await fresh().read();
      return { overrides: overridesIn(records, ZONE), incidents: incidentsIn(records, ZONE) };
    },
  };
}

/** A site that is up answers in 20 ms, and says that all is replicated. */
export function observeOf(answers: (site: string) => boolean): Observe {
  return ({ site, requests }) => {
    const isUp = answers(site);
    return Promise.resolve({
      site,
      latenciesMs: Array.from({ length: requests }, () => (isUp ? 20 : 5_000)),
      errors: isUp ? 0 : requests,
      peers: isUp ? [{ site: 'peer', lagMs: 0, safeTimeBehindMs: 0, exposedKeys: 0 }] : 'no answer',
    });
  };
}
