/**
 * An AWS site under `npm start`: HTTP functions in this process, triggers in a child, without the framework. Its code and
 * its definition may change while it serves.
 *
 * Invariant: a change is taken as a whole or not at all, and no request is refused meanwhile. Everything that can fail is
 * done beside what serves; only then does it take over.
 */
import fs from 'node:fs';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { BUNDLE } from '../code/entry-point.ts';
import type { Code } from '../code/messages.ts';
import type { LiveSite } from '../code/serve-code.ts';
import { replaceEnvironment, withEnvironment } from '../code/with-environment.ts';
import { announce } from '../run-registry.ts';
import { functionsOf, placeArtefact, releaseToServe } from '../site-release.ts';
import { AppCode } from './app-code.ts';
import { BridgeSupervisor } from './bridge-supervisor.ts';
import { Front } from './front.ts';
import { type Environment, localizeEnvironment } from './local-environment.ts';
import { LocalResources } from './local-resources.ts';
import { loadOffline, type OfflineServer, startOfflineServer } from './offline-server.ts';
import { type BridgePlan, plannedFunction } from './plan.ts';
import { type ResourcePlan, resourcePlanOf } from './resource-plan.ts';
import { type ServiceDefinition, type Triggers, triggersOf } from './service-model.ts';

export interface AwsLiveSiteOptions {
  readonly projectDir: string;
  readonly site: string;
  /** Of this site's own files; absolute. */
  readonly buildDir: string;
  readonly httpPort: number;
  readonly print: (line: string) => void;
  /** Where the trigger process has an inspector: `127.0.0.1:9229`. */
  readonly bridgeInspect?: string;
}

type Service = ServiceDefinition & { readonly service: string };

interface Prepared {
  readonly service: Service;
  readonly triggers: Triggers;
  readonly resources: ResourcePlan;
  readonly environment: Environment;
}

/** What answers requests: a server for the routes of a definition, with the functions behind them. */
interface Serving {
  readonly server: OfflineServer;
  /** Absent: those of a release. */
  readonly functions?: AppCode;
  readonly environment: Environment;
  /** The modules from before are those that are found again. */
  discard(): void;
}

export class AwsLiveSite implements LiveSite {
  readonly #options: AwsLiveSiteOptions;
  readonly #front = new Front();
  readonly #stopping = new AbortController();
  readonly #resources = new LocalResources(this.#stopping.signal);
  /** Absent: the sources. */
  readonly #release = releaseToServe();
  /** What the process was started with: it wins over the definition. */
  readonly #outside = { ...process.env };
  #served: Code | undefined;
  #serving: Serving | undefined;
  #bridge: BridgeSupervisor;
  /** What the bridge goes by. */
  #plan: BridgePlan | undefined;
  /** Of the definition before: requests that began with them may still need them. */
  #functionsBefore: AppCode | undefined;
  /** The end of what served the definition before. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(options: AwsLiveSiteOptions) {
    this.#options = options;
    this.#bridge = this.#newBridge();
    // It loads its modules while the definition is on its way.
    this.#bridge.fork();
    loadOffline().catch(() => undefined);
  }

  async take(code: Code): Promise<void> {
    if (this.#serving === undefined) await this.#begin(code);
    else if (!isDeepStrictEqual(code.definition, this.#served?.definition)) await this.#takeDefinition(code);
    else await this.#takeCode(code, this.#serving);
    this.#served = code;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([
      this.#bridge.stop(),
      this.#front.close(),
      this.#serving?.server.close(),
      this.#ending,
    ]);
  }

  async #begin(code: Code): Promise<void> {
    const { buildDir, httpPort, site } = this.#options;
    fs.rmSync(buildDir, { recursive: true, force: true });
    if (this.#release !== undefined) placeArtefact(this.#release, buildDir);
    const prepared = await this.#prepare(code);
    Object.assign(process.env, prepared.environment);
    // Not waited for: it announces itself, and what it lacks must not keep requests waiting.
    this.#plan = this.#planFor(prepared, code);
    void this.#bridge.start(this.#plan);
    this.#serving = await this.#newServing(prepared, code);
    this.#front.passTo(this.#serving.server.listener);
    announce(site, { http: await this.#front.listen(httpPort) });
    flushCompileCache();
  }

  async #takeCode({ appDir }: Code, { functions }: Serving): Promise<void> {
    if (functions === undefined) return;
    const loaded = functions.load(appDir);
    const problem = await this.#bridge.reload();
    if (problem === undefined) loaded.serve();
    else {
      loaded.discard();
      throw new Error(problem);
    }
  }

  async #takeDefinition(code: Code): Promise<void> {
    await this.#ending;
    const prepared = await this.#prepare(code);
    const plan = this.#planFor(prepared, code);
    if (isDeepStrictEqual(plan, this.#plan)) await this.#takeRoutes(prepared, code);
    else await this.#takeTriggers(prepared, code, plan);
    this.#plan = plan;
  }

  /** The triggers are those from before: the bridge loads its code again, and goes on. */
  async #takeRoutes(prepared: Prepared, code: Code): Promise<void> {
    const serving = await this.#newServing(prepared, code);
    const problem = await this.#bridge.reload();
    if (problem !== undefined) {
      serving.discard();
      await serving.server.close();
      throw new Error(problem);
    }
    this.#takeOver(serving, this.#bridge);
  }

  /** Both bridges run for a moment, as two releases do in the cloud: none is missing when the new one does not start. */
  async #takeTriggers(prepared: Prepared, code: Code, plan: BridgePlan): Promise<void> {
    const bridge = this.#newBridge();
    bridge.fork(false);
    let serving: Serving | undefined;
    try {
      const [server, triggers] = await Promise.allSettled([
        this.#newServing(prepared, code),
        bridge.tryPlan(plan),
      ]);
      if (server.status === 'rejected') throw server.reason;
      serving = server.value;
      if (triggers.status === 'rejected') throw triggers.reason;
    } catch (error) {
      serving?.discard();
      await Promise.all([bridge.stop(), serving?.server.close()]);
      throw error;
    }
    this.#takeOver(serving, bridge);
  }

  #takeOver(serving: Serving, bridge: BridgeSupervisor): void {
    const before = { serving: this.#serving, bridge: this.#bridge };
    replaceEnvironment(before.serving?.environment ?? {}, serving.environment, this.#outside);
    this.#front.passTo(serving.server.listener);
    this.#serving = serving;
    this.#bridge = bridge;
    this.#functionsBefore?.remove();
    this.#functionsBefore = before.serving?.functions;
    this.#ending = Promise.allSettled([
      before.serving?.server.close(),
      before.bridge === bridge ? undefined : before.bridge.stop().then(() => bridge.inspectNow()),
    ]);
  }

  async #prepare({ definition }: Code): Promise<Prepared> {
    const service = structuredClone(definition) as unknown as Service;
    if (this.#release !== undefined)
      service.functions = functionsOf(this.#options.buildDir, service.functions);
    const triggers = triggersOf(service);
    // The trigger process runs them; serverless-offline would run them a second time.
    for (const one of Object.values(service.functions)) {
      one.events = one.events.filter((event) => event.schedule === undefined);
    }
    const resources = resourcePlanOf(service);
    const { region } = resources;
    const all = await this.#resources.ensure(resources);
    this.#options.print('[aws host] tables and queues are there');
    const environment = localizeEnvironment(service, { resources: all, region }, this.#outside);
    return { service, triggers, resources, environment };
  }

  /** @throws Error when the code does not load or the routes are refused; nothing is then left of it. */
  async #newServing({ service, environment }: Prepared, { appDir, generation }: Code): Promise<Serving> {
    const { projectDir, buildDir, print } = this.#options;
    if (this.#release !== undefined) {
      const server = await startOfflineServer({ service, projectDir, bundlesDir: buildDir, print });
      return { server, environment, discard: () => undefined };
    }
    const bundlesDir = path.join(buildDir, `functions-${generation}`);
    const functions = new AppCode(bundlesDir, generation);
    const loaded = withEnvironment(environment, () => functions.load(appDir));
    const discard = (): void => {
      loaded.discard();
      functions.remove();
    };
    try {
      functions.place(Object.values(service.functions).map(({ handler }) => handler));
      loaded.serve();
      const server = await startOfflineServer({ service, projectDir, bundlesDir, print });
      return { server, functions, environment, discard };
    } catch (error) {
      discard();
      throw error;
    }
  }

  #newBridge(): BridgeSupervisor {
    const { print, bridgeInspect } = this.#options;
    return new BridgeSupervisor({ env: this.#outside, print, inspect: bridgeInspect });
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
