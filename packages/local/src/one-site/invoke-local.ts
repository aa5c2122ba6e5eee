/**
 * `sls invoke local`: a function once, against the emulators of its site. Those of a site that runs here are used;
 * otherwise the site's own run as long as the function does.
 *
 * On AWS the CLI runs the function in its own process, with the environment that it is given here. On Azure the plugin
 * sends a request, so the site itself must run.
 *
 * Invariant: no call of a function reaches a cloud account, whatever the user is signed in to.
 */
import { createRequire } from 'node:module';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { localizeEnvironment } from '../aws-host/local-environment.ts';
import { ensureQueues } from '../aws-host/local-queues.ts';
import { ensureTables } from '../aws-host/local-tables.ts';
import { resourcePlanOf } from '../aws-host/resource-plan.ts';
import type { FunctionDefinition, ServiceDefinition } from '../aws-host/service-model.ts';
import { urlOf } from '../stack/topology.ts';
import { type DefinitionOfSite, siteOf, siteOptions } from './site-options.ts';
import { portsOf, sitesWithRunning } from './site-registry.ts';
import { placesOf, plansOf, SiteRun } from './site-run.ts';

/** Where a user may be signed in; none of it reaches the function. */
const CLOUD_SETTING = /^(AWS|AZURE)_/;

interface Serverless extends DefinitionOfSite {
  readonly service: DefinitionOfSite['service'] & ServiceDefinition;
}

/** The part of the command line that is used; the CLI reads `data` when it invokes. */
interface InvokeOptions {
  readonly function: string;
  readonly path?: string;
  readonly port?: string;
  data?: unknown;
}

export class LocalInvocation {
  readonly #serverless: Serverless;
  readonly #options: InvokeOptions;
  readonly #hasAddresses: boolean;
  #run: SiteRun | undefined;

  constructor(serverless: Serverless, options: InvokeOptions, { hasAddresses }: { hasAddresses: boolean }) {
    this.#serverless = serverless;
    this.#options = options;
    this.#hasAddresses = hasAddresses;
  }

  /** Before anything else: emulators, environment, address. */
  async begin(): Promise<void> {
    if (this.#serverless.service.provider.name === 'aws') await this.#beginOnAws();
    else await this.#beginOnAzure();
  }

  /** A function of HTTP that is given nothing gets a GET request of its first route. */
  giveEvent(): void {
    const { data, path } = this.#options;
    const given = path !== undefined || (data !== undefined && data !== '');
    const definition = this.#serverless.service.functions[this.#options.function];
    const route = definition === undefined || given ? undefined : routeOf(definition);
    if (route !== undefined) this.#options.data = getRequest(route);
  }

  async end(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.stop();
  }

  async #beginOnAws(): Promise<void> {
    const { service } = this.#serverless;
    if (!this.#hasAddresses) {
      const environment = await this.#environment();
      for (const name of Object.keys(process.env)) {
        if (CLOUD_SETTING.test(name)) Reflect.deleteProperty(process.env, name);
      }
      Object.assign(process.env, environment);
    }
    const plan = resourcePlanOf(service);
    const client = { region: plan.region, maxAttempts: 1 };
    const never = new AbortController().signal;
    const created = await Promise.all([
      ensureQueues(new SQSClient(client), plan, never),
      ensureTables(new DynamoDBClient(client), plan, never),
    ]);
    const resources = new Map(created.flatMap((part) => [...part]));
    localizeEnvironment(service, { resources, region: plan.region }, process.env);
  }

  /** Of the functions of a site that runs here, or of one that is begun for this invocation. */
  async #environment(): Promise<Readonly<Record<string, string>>> {
    const options = siteOptions(this.#serverless, {});
    const running = sitesWithRunning(placesOf(options.projectDir, options.site).dir, options.site);
    if (running !== undefined) return plansOf(options, running).host.env;
    const run = await SiteRun.enter(options);
    this.#run = run;
    await run.start();
    return run.functionsEnvironment;
  }

  async #beginOnAzure(): Promise<void> {
    const url = this.#options.port === undefined ? await this.#urlOnAzure() : undefined;
    sendRequestsTo(url ?? `http://127.0.0.1:${this.#options.port ?? ''}`);
  }

  async #urlOnAzure(): Promise<string> {
    const site = siteOf(this.#serverless);
    const running = sitesWithRunning(placesOf(this.#serverless.serviceDir, site).dir, site);
    if (running !== undefined) return urlOf(portsOf(running.sites), site.site);
    // The same words without the function: what `sls offline` would be run with.
    const { region, stage, config } = this.#options as { region?: string; stage?: string; config?: string };
    const chosen = Object.entries({ region, stage, config }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    );
    const options = siteOptions(this.#serverless, {}, ['offline', ...chosen]);
    const run = await SiteRun.enter({ ...options, onFunctionsLine: () => undefined });
    this.#run = run;
    await run.start();
    return run.url;
  }
}

/** `/health/{proxy+}` is asked for at `/health`. */
function routeOf({ events }: FunctionDefinition): string | undefined {
  for (const { httpApi } of events) {
    if (httpApi === undefined) continue;
    const path =
      typeof httpApi === 'string' ? httpApi.replace(/^\S+ /, '') : (httpApi as { path: string }).path;
    return path === '*' ? '/' : path.replace(/\/?\{[^}]*\}$/, '') || '/';
  }
  return undefined;
}

/** An event of API Gateway's HTTP API, payload format 2.0. */
function getRequest(path: string) {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { host: 'localhost', accept: 'application/json' },
    requestContext: {
      http: {
        method: 'GET',
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'sls invoke local',
      },
      requestId: 'invoke-local',
      stage: '$default',
      timeEpoch: 0,
    },
    isBase64Encoded: false,
  };
}

/** Upstream sends to port 7071 with the prefix `/api`, and takes the wildcard of a route to the letter. */
function sendRequestsTo(url: string): void {
  const require = createRequire(import.meta.url);
  const { InvokeService } = require('serverless-azure-functions/lib/services/invokeService') as {
    InvokeService: {
      prototype: { getUrl(name: string): Promise<string>; getConfiguredFunctionRoute(name: string): string };
    };
  };
  const { prototype } = InvokeService;
  prototype.getUrl = function localUrl(name) {
    const route = this.getConfiguredFunctionRoute(name).replace(/\/?\{[^}]*\}$/, '');
    return Promise.resolve(`${url}/${route}`);
  };
}
