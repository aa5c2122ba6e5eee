/** What the trigger process is to run. Plain data: it travels over the IPC channel. */
import path from 'node:path';
import type { Environment } from './local-environment.ts';
import type { RecursiveLoop } from './recursion.ts';
import type { ResourcePlan } from './resource-plan.ts';
import {
  type QueueTrigger,
  recursiveLoopOf,
  type ScheduleTrigger,
  type ServiceDefinition,
} from './service-model.ts';

export interface PlannedFunction {
  /** Deployed name: `tandem-prod-forward`. */
  readonly name: string;
  /** Absolute path of the bundle that esbuild wrote. */
  readonly bundle: string;
  /** In a bundle of several functions: the export of it that holds this one's, `src/bridge/forward`. */
  readonly source?: string;
  /** Name of the export. */
  readonly exportName: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** What becomes of a chain of invocations that triggers this function again and again. */
  readonly recursiveLoop: RecursiveLoop;
}

export interface BridgePlan {
  /** Announced as `<site>.bridge`. */
  readonly site: string;
  readonly region: string;
  readonly functions: Readonly<Record<string, PlannedFunction>>;
  readonly queues: readonly QueueTrigger[];
  readonly schedules: readonly ScheduleTrigger[];
  /** To find the queues, and to create them again when an emulator without a data folder restarts. */
  readonly resources: ResourcePlan;
  /** What the functions find in `process.env`, apart from what the process was started with. */
  readonly environment: Environment;
}

export type ToBridge =
  | { readonly type: 'start'; readonly plan: BridgePlan }
  | { readonly type: 'reload' }
  | { readonly type: 'inspect'; readonly address: string }
  | { readonly type: 'stop' };

/**
 * `ready`: every function is loaded and every queue is being received from. `reloaded`: the functions are those that are
 * there now or, with a problem, still those from before.
 */
export type FromBridge =
  { readonly type: 'ready' } | { readonly type: 'reloaded'; readonly problem?: string };

const DEFAULT_TIMEOUT_SECONDS = 6;
const DEFAULT_MEMORY_MB = 1024;

/**
 * @param places `bundlesDir`: absolute folder with a bundle for each source; `bundle`: the one that holds them all, where
 *   there is one.
 */
export function plannedFunction(
  service: ServiceDefinition,
  key: string,
  { bundlesDir, bundle }: { readonly bundlesDir: string; readonly bundle?: string | undefined },
): PlannedFunction {
  const definition = service.functions[key];
  if (definition === undefined) throw new Error(`there is no function ${key}`);
  const { provider } = service;
  const dot = definition.handler.lastIndexOf('.');
  const source = definition.handler.slice(0, dot);
  return {
    name: definition.name,
    bundle: bundle ?? path.join(bundlesDir, `${source}.cjs`),
    ...(bundle !== undefined && { source }),
    exportName: definition.handler.slice(dot + 1),
    timeoutMs: (definition.timeout ?? provider.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1_000,
    memoryMb: definition.memorySize ?? provider.memorySize ?? DEFAULT_MEMORY_MB,
    recursiveLoop: recursiveLoopOf(service, key),
  };
}
