/**
 * serverless-offline without the framework around it: what it reads of a Serverless instance is little, and comes from
 * the resolved definition.
 */
import type http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResolvedDefinition } from '../code/definition.ts';
import { actAsApiGateway, type HapiServer } from './api-gateway.ts';
import { guardServers } from './guard-servers.ts';
import type { ServiceDefinition } from './service-model.ts';

interface OfflinePlugin {
  start(): Promise<void>;
  end(skipExit: boolean): Promise<void>;
  internals(): { getApiGatewayServer(): HapiServer };
}

type Plugin = new (serverless: object, options: object, utils: object) => OfflinePlugin;

export interface OfflineServerOptions {
  readonly service: ServiceDefinition & Pick<ResolvedDefinition, 'service'>;
  readonly projectDir: string;
  /** Where `src/handlers/items.cjs` and its like are. */
  readonly bundlesDir: string;
  readonly print: (line: string) => void;
}

export interface OfflineServer {
  /** Of the HTTP API. */
  readonly listener: http.Server;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);
/** Parts that it loads late, one after the other, when requests already wait. */
const LATE = [
  'events/http/index.js',
  'lambda/index.js',
  'lambda/handler-runner/in-process-runner/index.js',
] as const;

/** Begins to load what a server needs, which takes longer than a definition does. */
export async function loadOffline(): Promise<Plugin> {
  const main = require.resolve('serverless-offline');
  const load = (file: string): Promise<unknown> => import(pathToFileURL(file).href);
  for (const part of LATE) void load(path.join(path.dirname(main), part)).catch(() => undefined);
  return ((await load(main)) as { default: Plugin }).default;
}

/** Serves on ports of its own choice. */
export async function startOfflineServer(options: OfflineServerOptions): Promise<OfflineServer> {
  const { service, projectDir, bundlesDir, print } = options;
  const ServerlessOffline = await loadOffline();
  const offline = new ServerlessOffline(
    {
      service: withMethods(service),
      serviceDir: projectDir,
      config: { servicePath: projectDir, serverlessPath: projectDir },
    },
    { httpPort: 0, lambdaPort: 0, location: bundlesDir },
    { log: logTo(print), progress: undefined },
  );
  const api = (): HapiServer => offline.internals().getApiGatewayServer();
  await guardServers(
    () => offline.start(),
    (server) => server === api().listener,
  );
  actAsApiGateway(api());
  return { listener: api().listener, close: () => offline.end(true) };
}

/** As `lib/classes/service.js` of the framework has them. */
function withMethods(service: ServiceDefinition): object {
  const { functions } = service;
  return {
    package: {},
    ...service,
    getAllFunctions: () => Object.keys(functions),
    getAllFunctionsNames: () => Object.values(functions).map(({ name }) => name),
    getFunction: (key: string) => functions[key],
    getAllEventsInFunction: (key: string) => functions[key]?.events,
  };
}

function logTo(print: (line: string) => void): object {
  const line = (...parts: readonly unknown[]): void => {
    const text = parts.map(String).join(' ');
    if (text.trim() !== '') print(text);
  };
  const nothing = (): undefined => undefined;
  return {
    debug: nothing,
    info: nothing,
    verbose: nothing,
    success: nothing,
    notice: line,
    warning: line,
    error: line,
  };
}
