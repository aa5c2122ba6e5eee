/**
 * What `sls offline` lacks for this project, around serverless-offline: resources at the local endpoints, an
 * environment without CloudFormation references, the trigger process, and an announcement when it serves.
 *
 * Invariant: nothing is created unless the endpoints are given explicitly, so a run without them can never
 * reach into a cloud account.
 */
import fs from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { bundleTogether, type EsbuildPlugin } from '../bundle-together.ts';
import { announce } from '../run-registry.ts';
import { actAsApiGateway, type HapiServer } from './api-gateway.ts';
import { BridgeSupervisor } from './bridge-supervisor.ts';
import { clientOptions } from './client-options.ts';
import { guardServers } from './guard-servers.ts';
import { type Environment, localizeEnvironment } from './local-environment.ts';
import { ensureQueues } from './local-queues.ts';
import { ensureTables } from './local-tables.ts';
import { plannedFunction } from './plan.ts';
import { type LocalResource, type ResourcePlan, resourcePlanOf } from './resource-plan.ts';
import { type ServiceDefinition, type Triggers, triggersOf } from './service-model.ts';

/** The part of the serverless-offline plugin that is used. */
interface OfflinePlugin {
  start(): Promise<void>;
  end(skipExit?: boolean): Promise<void>;
  internals(): { getApiGatewayServer(): HapiServer };
}

/** The part of the Serverless instance that is used. */
export interface ServerlessInstance {
  readonly service: ServiceDefinition;
  readonly serviceDir: string;
  readonly pluginManager: { readonly plugins: readonly object[] };
}

const require = createRequire(import.meta.url);

const endpoint = (service: string): string | undefined =>
  process.env[`AWS_ENDPOINT_URL_${service}`] ?? process.env['AWS_ENDPOINT_URL'];

const print = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Emulators take any credentials; without some, the SDK would look for a profile and an instance role. */
function giveCredentials(): void {
  if (process.env['AWS_ACCESS_KEY_ID'] !== undefined || process.env['AWS_PROFILE'] !== undefined) return;
  process.env['AWS_ACCESS_KEY_ID'] = 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'local';
}

export class OfflineHost {
  readonly #serverless: ServerlessInstance;
  readonly #service: ServiceDefinition;
  readonly #stopping = new AbortController();
  #triggers: Triggers = { queues: [], schedules: [] };
  #supervisor: BridgeSupervisor | undefined;
  #preparation: Promise<{ resources: ResourcePlan; environment: Environment }> | undefined;
  #freeBuild: (() => Promise<void>) | undefined;

  constructor(serverless: ServerlessInstance) {
    this.#serverless = serverless;
    this.#service = serverless.service;
  }

  /**
   * Begins what can go on while esbuild bundles, and puts itself around the start and the end of
   * serverless-offline: with plain `sls offline` that plugin leaves no hook between serving and the end.
   */
  prepare(): void {
    this.#triggers = triggersOf(this.#service);
    // The trigger process runs them; serverless-offline would run them a second time.
    for (const definition of Object.values(this.#service.functions)) {
      definition.events = definition.events.filter((event) => event.schedule === undefined);
    }
    const resources = resourcePlanOf(this.#service);
    if (endpoint('SQS') !== undefined) {
      giveCredentials();
      this.#supervisor = new BridgeSupervisor({ env: { ...process.env }, print });
      this.#supervisor.fork();
    }
    this.#preparation = this.#createResources(resources).then((created) => ({
      resources,
      environment: localizeEnvironment(
        this.#service,
        { resources: created, region: resources.region },
        process.env,
      ),
    }));
    this.#preparation.catch(() => undefined);
    const esbuild = this.#plugin('EsbuildServerlessPlugin') as EsbuildPlugin;
    this.#freeBuild = bundleTogether(esbuild, this.#serverless.serviceDir);
    this.#wrapOffline();
  }

  /** The bundles have changed: the next invocation of every function loads them again. */
  reload(): void {
    const folder = this.#buildFolder();
    for (const file of Object.keys(require.cache)) {
      if (file.startsWith(`${folder}${path.sep}`)) Reflect.deleteProperty(require.cache, file);
    }
    void this.#supervisor?.reload();
  }

  async #createResources(plan: ResourcePlan): Promise<Map<string, LocalResource>> {
    const { region } = plan;
    const queues = async () => {
      if (endpoint('SQS') === undefined) return [];
      const client = new SQSClient(clientOptions(region));
      return [...(await ensureQueues(client, plan, this.#stopping.signal))];
    };
    const tables = async () => {
      if (endpoint('DYNAMODB') === undefined) return [];
      const client = new DynamoDBClient(clientOptions(region));
      return [...(await ensureTables(client, plan, this.#stopping.signal))];
    };
    return new Map((await Promise.all([queues(), tables()])).flat());
  }

  #wrapOffline(): void {
    const offline = this.#offline();
    const start = offline.start.bind(offline);
    const end = offline.end.bind(offline);
    offline.start = async () => {
      await this.#beforeServing();
      await guardServers(start, (server) => server === this.#apiServer().listener);
      this.#serving();
    };
    offline.end = async (skipExit) => {
      await this.stop();
      await end(skipExit);
    };
  }

  async #beforeServing(): Promise<void> {
    if (this.#preparation === undefined) throw new Error('the host was not prepared');
    const { resources, environment } = await this.#preparation;
    this.#startBridge(resources, environment);
    Object.assign(process.env, environment);
    for (const [key, definition] of Object.entries(this.#service.functions)) {
      if (definition.events.some((event) => event.httpApi !== undefined))
        require(plannedFunction(this.#service, key, { bundlesDir: this.#buildFolder() }).bundle);
    }
  }

  /** Not awaited: a bridge that cannot start must not keep the requests waiting, and it announces itself. */
  #startBridge(resources: ResourcePlan, environment: Environment): void {
    const { queues, schedules } = this.#triggers;
    if (this.#supervisor === undefined) {
      print('[aws host] AWS_ENDPOINT_URL_SQS is not set: queues and schedules do not run');
      return;
    }
    const keys = new Set([...queues, ...schedules].map(({ functionKey }) => functionKey));
    const functions = Object.keys(this.#service.functions).filter((key) => keys.has(key));
    const bundlesDir = this.#buildFolder();
    void this.#supervisor.start({
      site: this.#site(environment),
      region: this.#service.provider.region,
      functions: Object.fromEntries(
        functions.map((key) => [key, plannedFunction(this.#service, key, { bundlesDir })]),
      ),
      queues,
      schedules,
      resources,
      environment,
    });
  }

  /** Called when the HTTP server listens. */
  #serving(): void {
    const server = this.#apiServer();
    actAsApiGateway(server);
    announce(this.#site(process.env), { http: server.info.uri });
    flushCompileCache();
  }

  /** Ends the trigger process, and esbuild's. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#supervisor?.stop(), this.#freeBuild?.()]);
  }

  #site(environment: NodeJS.ProcessEnv | Environment): string {
    return environment['TANDEM_SITE'] ?? `aws-${this.#service.provider.region}`;
  }

  #apiServer(): HapiServer {
    return this.#offline().internals().getApiGatewayServer();
  }

  #offline(): OfflinePlugin {
    return this.#plugin('ServerlessOffline') as OfflinePlugin;
  }

  #plugin(className: string): object {
    const found = this.#serverless.pluginManager.plugins.find(
      ({ constructor }) => constructor.name === className,
    );
    if (found === undefined) throw new Error(`the plugin ${className} must be listed too`);
    return found;
  }

  /** Where serverless-esbuild writes the bundles; symbolic links resolved, as in the module cache. */
  #buildFolder(): string {
    const plugin = this.#plugin('EsbuildServerlessPlugin') as EsbuildPlugin;
    return fs.realpathSync(plugin.buildDirPath);
  }
}
