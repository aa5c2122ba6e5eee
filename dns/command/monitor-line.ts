/** What the command lines of `runbook` and `monitor` say, and what both commands need around them. */
import type { CapacityPrices } from '../monitor/capacity/level.ts';
import type { Settings } from '../monitor/settings.ts';
import type { Policy } from '../policy/policy.ts';
import type { CommandContext } from './command-context.ts';

export interface CommonOptions {
  readonly policy: string;
  /** A `stack.json`, or the folder it is in; read when the policy's provider is `local`. */
  readonly stack: string;
  readonly runbooks: string;
  /** Undefined: where the policy's provider decides. */
  readonly incidents?: string | undefined;
  readonly json: boolean;
}

export interface RunbookLine extends CommonOptions {
  /** Undefined: list them. */
  readonly name?: string | undefined;
  readonly site?: string | undefined;
  readonly over: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export interface MonitorLine extends CommonOptions {
  readonly once: boolean;
}

/** What both commands need around them. */
export interface MonitorCommandContext extends CommandContext {
  readonly settings: Settings;
  /** Of the price book; absent: a dry run says nothing of costs. */
  readonly prices?: CapacityPrices;
}

/** Incidents of a stack on one machine are nothing for the repository. */
export function incidentsOf({ provider }: Pick<Policy, 'provider'>): string {
  return provider === 'local' ? '.tandem/incidents' : 'docs/incidents';
}
