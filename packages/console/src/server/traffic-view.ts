/** What the page of traffic is given, and what it may ask for. */
import type { Status } from '../../../../dns/command/status.ts';
import type { ShiftSettings } from '../../../../dns/policy/policy.ts';
import type { Moment } from '../../../../dns/shift/move.ts';
import type { JobView } from './jobs.ts';

export interface CheckView {
  readonly healthy: boolean;
  /** Undefined: nothing is known yet. */
  readonly passing?: boolean | undefined;
  readonly damped: boolean;
  /** Epoch milliseconds. */
  readonly changedAtMs?: number | undefined;
  readonly failure?: string | undefined;
}

export interface TrafficView extends Status {
  readonly port: number;
  /** Name → site → weight that the policy gives it. */
  readonly policy: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly shift: ShiftSettings;
  /** Site → what its check says. */
  readonly checks: Readonly<Record<string, CheckView>>;
  /** Record → site → answers since the zone changed. */
  readonly chosen: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What was written of incidents, the newest first. */
  readonly incidentFiles: readonly string[];
  readonly jobs: readonly TrafficJob[];
}

export type TrafficJob = JobView<TrafficDetail>;

/** Where a move is. */
export interface TrafficDetail {
  readonly steps: number;
  readonly shift: ShiftSettings;
  /** The latest. */
  readonly moment?: Moment;
}

/** What may be started. */
export type TrafficOrder =
  | { readonly kind: 'apply'; readonly hash: string }
  | {
      readonly kind: 'runbook';
      readonly name: string;
      readonly site: string;
      /** The way back. */
      readonly over: boolean;
    }
  | {
      readonly kind: 'acknowledge';
      readonly runbook: string;
      readonly site: string;
      readonly why: string;
    }
  | MoveOrder;

export interface MoveOrder {
  readonly kind: 'drain' | 'failover' | 'restore' | 'shift';
  readonly site?: string | undefined;
  readonly percent?: number | undefined;
  /** Of a restore: in one step, without gates. */
  readonly now?: boolean | undefined;
  /** Of a failover: although the zone differs from the policy. */
  readonly force?: boolean | undefined;
  /** Absent: as the policy says. */
  readonly stepPercent?: number | undefined;
  readonly holdSeconds?: number | undefined;
}

export interface PlanView {
  /** As `tandem dns plan` prints it. */
  readonly text: string;
  readonly hash: string;
  readonly isEmpty: boolean;
}

export interface PreviewView extends PlanView {
  /** Site → percent beside the policy, after each step; nothing: as the policy says. */
  readonly steps: readonly Readonly<Record<string, number>>[];
  readonly isGated: boolean;
  readonly refusal?: string | undefined;
}

export interface RunbookView {
  readonly name: string;
  readonly description: string;
  readonly prose?: string | undefined;
  readonly sites: readonly string[];
  readonly actions: readonly string[];
  /** When it is over. */
  readonly over: readonly string[];
}
