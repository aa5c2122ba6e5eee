/** What a runbook acts with, and on. */
import type { Probe } from '../plan/safety.ts';
import type { Policy } from '../policy/policy.ts';
import type { Clock, Provider } from '../provider.ts';
import type { Observe } from '../shift/observe.ts';
import type { Scalers } from './capacity/level.ts';
import type { IncidentLog } from './incident-file.ts';
import type { Webhook } from './notify.ts';

export interface MonitorContext {
  readonly policy: Policy;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly probe: Probe;
  readonly report: (text: string) => void;
  /** Aborted by Ctrl-C, or when a function's time is nearly up. */
  readonly signal: AbortSignal;
  /** Whom the zone's lock names. */
  readonly owner: string;
  readonly webhooks: ReadonlyMap<string, Webhook>;
  /** Of the sites' operator API. */
  readonly operatorKey: string | undefined;
  readonly incidents: IncidentLog;
  /** What this monitor may raise. */
  readonly scalers: Scalers;
}
