/** All triggers of one site in one process: starts them from a plan, reloads the functions, stops everything. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { evaluateAnew } from '../code/evaluate-anew.ts';
import { AccountConcurrency, concurrencyLimit } from './account-concurrency.ts';
import { clientOptions } from './client-options.ts';
import { FunctionRunner } from './function-runner.ts';
import { ensureQueues } from './local-queues.ts';
import type { BridgePlan } from './plan.ts';
import { QueuePoller } from './queue-poller.ts';
import { provideTraces } from './recursion.ts';
import { scheduledEvent, startSchedule } from './schedule.ts';

const require = createRequire(import.meta.url);

/** Soon enough to see a sweep right after the start; late enough not to slow the start down. */
const FIRST_SCHEDULE_AFTER_MS = 1_000;
/** Above the longest long poll: a connection that died without a sign is noticed. */
const REQUEST_TIMEOUT_MS = 25_000;

export interface Bridge {
  /**
   * Evaluates every bundle anew.
   * @throws What one of them throws; all functions then stay as they were.
   */
  reload(): void;
  stop(): Promise<void>;
}

/** Where the bundles are, symbolic links resolved. */
function foldersOf({ functions }: BridgePlan): string[] {
  const files = Object.values(functions).map(({ bundle }) => fs.realpathSync(bundle));
  return [...new Set(files.map((file) => path.dirname(file)))];
}

function runnersOf(plan: BridgePlan): Map<string, FunctionRunner> {
  return new Map(
    Object.entries(plan.functions).map(([key, planned]) => [key, new FunctionRunner(planned, plan.region)]),
  );
}

function runnerOf(runners: ReadonlyMap<string, FunctionRunner>, key: string): FunctionRunner {
  const runner = runners.get(key);
  if (runner === undefined) throw new Error(`the plan has a trigger for ${key}, but no such function`);
  return runner;
}

/**
 * Returns once every function is loaded, every queue exists and is being received from.
 * @throws Error when a bundle does not load or the queues cannot be created.
 */
export async function startBridge(plan: BridgePlan, report: (message: string) => void): Promise<Bridge> {
  // Before the bundles load: they read their configuration when they do.
  Object.assign(process.env, plan.environment, { AWS_REGION: plan.region });
  provideTraces();
  const stopping = new AbortController();
  const client = new SQSClient(clientOptions(plan.region, REQUEST_TIMEOUT_MS));
  const ensure = () => ensureQueues(client, plan.resources, stopping.signal);
  const runners = runnersOf(plan);
  const account = new AccountConcurrency(concurrencyLimit(process.env['TANDEM_LAMBDA_CONCURRENCY']));
  // Asked for first, so that the answers come in while the bundles load.
  const creating = ensure();
  creating.catch(() => undefined);
  for (const runner of runners.values()) runner.load()();
  const queues = await creating;
  const pollers = plan.queues.map((trigger) => {
    const queue = queues.get(trigger.queue);
    if (queue === undefined)
      throw new Error(`${trigger.functionKey}: no queue ${trigger.queue} in the resources`);
    const runner = runnerOf(runners, trigger.functionKey);
    return new QueuePoller({
      ...trigger,
      client,
      queueUrl: queue.ref,
      queueArn: queue.arn,
      region: plan.region,
      invoke: (event) => account.run(() => runner.invoke(event)),
      recreate: ensure,
      report: (message) => {
        report(`${trigger.functionKey}: ${message}`);
      },
    });
  });
  for (const poller of pollers) poller.start();
  const stopSchedules = plan.schedules.map(({ functionKey, periodMs }) =>
    startSchedule({
      periodMs,
      firstAfterMs: FIRST_SCHEDULE_AFTER_MS,
      run: async () => {
        const event = scheduledEvent({ region: plan.region, rule: functionKey, now: new Date() });
        await account
          .run(() => runnerOf(runners, functionKey).invoke(event))
          .catch((error: unknown) => {
            report(
              `${functionKey}: scheduled run failed: ${error instanceof Error ? error.message : String(error)}`,
            );
          });
      },
    }),
  );
  return {
    reload() {
      // Until the last one has loaded, those before may have to go back.
      const load = (folders: readonly string[]): (() => void)[] => {
        const [folder, ...others] = folders;
        if (folder === undefined) return [...runners.values()].map((runner) => runner.load());
        return evaluateAnew(require, folder, () => load(others)).result;
      };
      for (const use of load(foldersOf(plan))) use();
    },
    async stop() {
      stopping.abort();
      for (const stop of stopSchedules) stop();
      await Promise.all(pollers.map((poller) => poller.stop()));
      client.destroy();
    },
  };
}
