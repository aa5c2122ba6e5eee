/**
 * An AWS site under `npm start`: HTTP functions in this process, triggers in a child, without the framework. Its code and
 * its definition may change while it serves.
 *
 * Invariant: a change is taken as a whole or not at all, and no request is refused meanwhile.
 */
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { flushCompileCache } from 'node:module';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Code } from '../code/messages.ts';
import type { LiveSite } from '../code/serve-code.ts';
import { announce } from '../run-registry.ts';
import { placeArtefact, releaseToServe } from '../site-release.ts';
import { BUNDLE } from '../code/entry-point.ts';
import { AppCode, placeFunctions } from './app-code.ts';
import { BridgeSupervisor } from './bridge-supervisor.ts';
import { clientOptions } from './client-options.ts';
import { Front } from './front.ts';
import { localizeEnvironment, type Environment } from './local-environment.ts';
import { ensureQueues } from './local-queues.ts';
import { ensureTables } from './local-tables.ts';
import { loadOffline, startOfflineServer, type OfflineServer } from './offline-server.ts';
import { plannedFunction, type BridgePlan } from './plan.ts';
import { resourcePlanOf, type ResourcePlan } from './resource-plan.ts';
import { triggersOf, type ServiceDefinition, type Triggers } from './service-model.ts';

export interface AwsLiveSiteOptions {
  readonly projectDir: string;
  readonly site: string;
  /** Of this site's own files; absolute. */
  readonly buildDir: string;
  readonly httpPort: number;
  readonly print: (line: string) => void;
  /** Of the trigger process: arguments of Node. */
  readonly bridgeExecArgv?: readonly string[];
}

type Service = ServiceDefinition & { readonly service: string };

interface Prepared {
  readonly service: Service;
  readonly triggers: Triggers;
  readonly resources: ResourcePlan;
  readonly environment: Environment;
}

export class AwsLiveSite implements LiveSite {
  readonly #options: AwsLiveSiteOptions;
  readonly #front = new Front();
  readonly #code = new AppCode();
  readonly #stopping = new AbortController();
  /** Absent: the sources. */
  readonly #release = releaseToServe();
  /** What the process was started with: it wins over the definition. */
  readonly #outside = { ...process.env };
  #served: Code | undefined;
  #server: OfflineServer | undefined;
  #bridge: BridgeSupervisor | undefined;

  constructor(options: AwsLiveSiteOptions) {
    this.#options = options;
    this.#code.register();
    this.#bridge = this.#newBridge();
    loadOffline().catch(() => undefined);
  }

  async take(code: Code): Promise<void> {
    const { buildDir } = this.#options;
    if (this.#served !== undefined && isDeepStrictEqual(code.definition, this.#served.definition)) {
      if (this.#release === undefined) await this.#takeCode(code);
    } else {
      const prepared = await this.#prepare(code);
      Object.assign(process.env, prepared.environment);
      if (this.#release !== undefined) placeArtefact(this.#release, buildDir);
      else {
        this.#code.load(code.appDir);
        placeFunctions(
          buildDir,
          Object.values(prepared.service.functions).map(({ handler }) => handler),
        );
      }
      await Promise.all([this.#serve(prepared), this.#startTriggers(prepared, code)]);
    }
    this.#served = code;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#bridge?.stop(), this.#front.close(), this.#server?.close()]);
  }

  async #takeCode({ appDir }: Code): Promise<void> {
    this.#code.load(appDir);
    const problem = await this.#bridge?.reload();
    if (problem !== undefined) throw new Error(problem);
  }

  async #prepare({ definition }: Code): Promise<Prepared> {
    const service = structuredClone(definition) as unknown as Service;
    const triggers = triggersOf(service);
    // The trigger process runs them; serverless-offline would run them a second time.
    for (const one of Object.values(service.functions)) {
      one.events = one.events.filter((event) => event.schedule === undefined);
    }
    const resources = resourcePlanOf(service);
    const { region } = resources;
    const { signal } = this.#stopping;
    const created = await Promise.all([
      ensureQueues(new SQSClient(clientOptions(region)), resources, signal),
      ensureTables(new DynamoDBClient(clientOptions(region)), resources, signal),
    ]);
    this.#options.print('[aws host] tables and queues are there');
    const all = new Map(created.flatMap((part) => [...part]));
    const environment = localizeEnvironment(service, { resources: all, region }, this.#outside);
    return { service, triggers, resources, environment };
  }

  async #serve({ service }: Prepared): Promise<void> {
    const { projectDir, buildDir, httpPort, site, print } = this.#options;
    const before = this.#server;
    this.#server = await startOfflineServer({ service, projectDir, bundlesDir: buildDir, print });
    this.#front.passTo(this.#server.listener);
    if (before !== undefined) {
      await before.close();
      return;
    }
    announce(site, { http: await this.#front.listen(httpPort) });
    flushCompileCache();
  }

  async #startTriggers(prepared: Prepared, code: Code): Promise<void> {
    if (this.#served !== undefined) {
      await this.#bridge?.stop();
      this.#bridge = this.#newBridge();
    }
    // The first one is not waited for: it announces itself, and what it lacks must not keep requests waiting.
    const started = this.#bridge?.start(this.#planFor(prepared, code));
    if (this.#served !== undefined) await started;
  }

  #newBridge(): BridgeSupervisor {
    const { print, bridgeExecArgv = [] } = this.#options;
    const bridge = new BridgeSupervisor({ env: this.#outside, print, execArgv: bridgeExecArgv });
    // It loads its modules while the definition is on its way.
    bridge.fork();
    return bridge;
  }

  #planFor({ service, triggers, resources, environment }: Prepared, { appDir }: Code): BridgePlan {
    const { site, buildDir } = this.#options;
    const { queues, schedules } = triggers;
    const keys = new Set([...queues, ...schedules].map(({ functionKey }) => functionKey));
    const functions = Object.keys(service.functions).filter((key) => keys.has(key));
    const bundle = this.#release === undefined ? path.join(appDir, `${BUNDLE}.cjs`) : undefined;
    return {
      site,
      region: service.provider.region,
      functions: Object.fromEntries(
        functions.map((key) => [key, plannedFunction(service, key, { bundlesDir: buildDir, bundle })]),
      ),
      queues,
      schedules,
      resources,
      environment,
    };
  }
}
