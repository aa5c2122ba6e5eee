/**
 * A local Azure Functions host: runs a packaged app, of either programming model, without Core Tools.
 *
 * Triggers are real (HTTP, Service Bus over AMQP, timers), the code between them and the functions is Microsoft's
 * (`programming-model.ts`), and functions run in this process, in place of the worker's (`app-loader.ts`).
 *
 * Invariant: a function that fails never takes the host with it; it fails its own request, batch or run.
 */
import { AppLoader, type LoadedApp } from './app-loader.ts';
import {
  type FunctionDefinition,
  type HostConfig,
  readHostConfig,
  type TriggerType,
} from './function-app.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { type Invocation, type InvocationResult, ProgrammingModel } from './programming-model.ts';
import { startTimer } from './timer-trigger.ts';

export interface AzureHostOptions {
  /** The unpacked package: where host.json is. */
  readonly appDir: string;
  /** TCP port of HTTP triggers on 127.0.0.1; 0 or absent picks a free one. */
  readonly port?: number;
  /** Which triggers run: HTTP, the others, or all of them. */
  readonly include: 'http' | 'triggers' | 'all';
  /** App settings; they go into `process.env` before any function is loaded, as in the cloud. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Takes one line of the host, or one that a function wrote with `context.log`. */
  readonly log: (line: string) => void;
}

export interface AzureHost {
  /** Where HTTP triggers answer, without a trailing slash; undefined when they are not included. */
  readonly url: string | undefined;
  readonly functions: readonly FunctionDefinition[];
  /** Runs a function as its trigger would. @throws What the function throws, or Error when it is not known. */
  invoke(name: string, invocation: Invocation): Promise<InvocationResult>;
  /**
   * Loads the app anew, beside the one that serves.
   * @throws What the app throws while loading.
   */
  load(): LoadedCode;
  /**
   * Loads the app anew and serves it; what is under way ends with the old code. HTTP functions may come and go; queues and timers stay
   * as they were.
   * @throws What the app throws while loading; the old code then stays.
   */
  reload(): void;
  /** Stops every trigger, waiting a bounded time for what is under way. */
  close(): Promise<void>;
}

/** Code that is loaded, and that nothing calls yet. */
export interface LoadedCode {
  /** The functions are these from now on. */
  readonly serve: () => void;
  /** They stay as they are. */
  readonly discard: () => void;
}

interface Closable {
  close(): Promise<void>;
}

/** @throws Error when the app or a connection is wrong; nothing then keeps running. */
export async function startAzureHost(options: AzureHostOptions): Promise<AzureHost> {
  const { appDir, include, settings = {}, log } = options;
  Object.assign(process.env, settings);
  const config = readHostConfig(appDir);
  const included = (type: TriggerType): boolean =>
    include === 'all' || (type === 'httpTrigger') === (include === 'http');
  const functionLog = (name: string, level: string, message: string): void => {
    log(`[${name}] ${level === 'information' ? '' : `${level}: `}${message}`);
  };
  const loader = new AppLoader(appDir, log);
  let app = loader.load().result;
  let model = new ProgrammingModel(app.model, functionLog);
  const includedOf = (loaded: LoadedApp): FunctionDefinition[] =>
    loaded.functions
      .filter(({ name }) => process.env[`AzureWebJobs.${name}.Disabled`] !== 'true')
      .filter(({ trigger }) => included(trigger.type));
  const functions = includedOf(app);

  const run = (definition: FunctionDefinition, invocation: Invocation): Promise<InvocationResult> => {
    const callback = app.callbacks.get(definition.name);
    if (callback === undefined) throw new Error(`function ${definition.name} is not loaded`);
    return model.invoke(definition, callback, invocation);
  };
  const triggers: Closable[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(triggers.splice(0).map((trigger) => trigger.close()));
  };
  try {
    const server = included('httpTrigger') ? await startHttp(options, { config, functions, run }) : undefined;
    if (server !== undefined) triggers.push(server);
    for (const definition of functions.filter(({ trigger }) => trigger.type === 'timerTrigger')) {
      triggers.push(startTimerFunction(definition, { run, log }));
    }
    const queues = functions.filter(({ trigger }) => trigger.type === 'serviceBusTrigger');
    if (queues.length > 0) {
      const { startQueueFunction } = await import('./queue-function.ts');
      const starts = await Promise.allSettled(
        queues.map((definition) => startQueueFunction(definition, { config, run, log })),
      );
      for (const start of starts) if (start.status === 'fulfilled') triggers.push(start.value);
      for (const start of starts) if (start.status === 'rejected') throw start.reason;
    }
    const load = (): LoadedCode => {
      const { result, undo } = loader.load();
      try {
        const route = server?.routing(
          includedOf(result).filter(({ trigger }) => trigger.type === 'httpTrigger'),
        );
        const nextModel = new ProgrammingModel(result.model, functionLog);
        const serve = (): void => {
          route?.();
          app = result;
          model = nextModel;
        };
        return { serve, discard: undo };
      } catch (error) {
        undo();
        throw error;
      }
    };
    return {
      url: server?.url,
      functions,
      async invoke(name, invocation) {
        const definition = functions.find((candidate) => candidate.name === name);
        if (definition === undefined) throw new Error(`there is no function ${name}`);
        return run(definition, invocation);
      },
      load,
      reload() {
        load().serve();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Run = (definition: FunctionDefinition, invocation: Invocation) => Promise<InvocationResult>;

function startHttp(
  { port = 0, log }: AzureHostOptions,
  { config, functions, run }: { config: HostConfig; functions: readonly FunctionDefinition[]; run: Run },
): Promise<HttpServer> {
  return startHttpServer({
    functions: functions.filter(({ trigger }) => trigger.type === 'httpTrigger'),
    routePrefix: config.routePrefix,
    port,
    invoke: run,
    log,
  });
}

function startTimerFunction(
  definition: FunctionDefinition,
  { run, log }: { run: Run; log: (line: string) => void },
): Closable {
  const { schedule, runOnStartup = false } = definition.trigger;
  if (schedule === undefined) throw new Error(`function ${definition.name}: its timer has no schedule`);
  return startTimer({
    schedule,
    runOnStartup,
    run: async (input) => {
      try {
        await run(definition, { input });
      } catch (error) {
        log(`[${definition.name}] failed: ${describe(error)}`);
      }
    },
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
