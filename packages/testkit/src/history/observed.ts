/** What was seen during a drill: the only thing that figures, report and picture are made of. Times are epoch milliseconds. */
import type { Attempt } from './client-log.ts';
import type { Finding } from './facts.ts';

/**
 * Clients that keep a DNS answer for its TTL, clients that keep the first one for ever, and clients that know both sites
 * and go to the other one by themselves (`@tandem-clouds/client`).
 */
export type Group = 'honours TTL' | 'ignores TTL' | 'fails over';

export const GROUPS: readonly Group[] = ['honours TTL', 'ignores TTL', 'fails over'];

/** A request of a client. `via` is the site that its DNS answer led to, or `dns` when there was none. */
export interface Call extends Attempt {
  readonly client: string;
  readonly group: Group;
  /** When the client got the DNS answer that it used; of one that uses none, when it began. */
  readonly resolvedAtMs: number;
  /** The client said that nobody can know: `OutcomeUnknown`. No failure, and no success. */
  readonly outcomeUnknown?: true;
  /** A read that was answered without the guarantee of its session, because the site that has the write is lost. */
  readonly stale?: true;
}

/** An answer of the DNS server, to whomever. */
export interface DnsAnswer {
  readonly atMs: number;
  readonly site: string;
}

/** The DNS server's health check changed its mind. */
export interface HealthChange {
  readonly atMs: number;
  readonly site: string;
  readonly healthy: boolean;
}

/** What `GET /replication` of `origin` last said that `peer` does not hold. */
export interface AtRisk {
  readonly origin: string;
  readonly peer: string;
  readonly atMs: number;
  readonly keys: number;
  /** True when there may be more. */
  readonly atLeast: boolean;
}

export interface Observed {
  /** `aws-lost`. */
  readonly drill: string;
  readonly victim: string;
  readonly survivor: string;
  readonly beganMs: number;
  /** SIGKILL. */
  readonly cutMs: number;
  /** The victim's processes may start again. */
  readonly backMs: number;
  readonly endMs: number;
  /** Functions and bridge of the victim are ready again; undefined: not in time. */
  readonly servesMs: number | undefined;
  /** Every write that was acknowledged before the return is at both sites; undefined: not in time. */
  readonly convergedMs: number | undefined;
  readonly calls: readonly Call[];
  readonly responses: readonly DnsAnswer[];
  readonly health: readonly HealthChange[];
  /** All that sites said of it, the oldest first. */
  readonly atRisk: readonly AtRisk[];
  /** The last words before the cut, in both directions. */
  readonly atRiskAtCut: readonly AtRisk[];
  /** The survivor's last word before the return. */
  readonly waitingAtReturn: AtRisk | undefined;
  /** Acknowledged by the victim before the cut, and not at the survivor as long as the victim was away. */
  readonly stayedBehind: number;
  /** Those of them that are not at the survivor in the end. */
  readonly stillBehind: number;
  /** What is wrong in the end, by the checkers of the simulator. */
  readonly findings: readonly Finding[];
}

/** An answer that a client cannot use. That a record is not there (yet) is an answer to a read. */
export function isError({
  status,
  kind,
  outcomeUnknown,
}: Pick<Call, 'status' | 'kind' | 'outcomeUnknown'>): boolean {
  if (outcomeUnknown === true) return false;
  return status === 0 || (status >= 400 && !(kind === 'read' && status === 404));
}
