/**
 * The host's side of the worker protocol, as far as it takes to start Microsoft's worker with an app and to invoke its
 * functions. gRPC and the protocol are those of the worker's checkout.
 * @see https://github.com/Azure/azure-functions-language-worker-protobuf
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { readFunctions } from '@tandem-clouds/local/azure-host/function-app';

/** A message of the protocol, with the one of its members that `content` names. */
type Message = Readonly<Record<string, unknown>>;

interface Stream {
  on(event: 'data', listener: (message: Message & { readonly content: string }) => void): void;
  on(event: 'error', listener: () => void): void;
  write(message: Message): void;
}

interface GrpcServer {
  addService(service: unknown, handlers: { eventStream(stream: Stream): void }): void;
  bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
  start(): void;
  forceShutdown(): void;
}

interface Grpc {
  readonly Server: new (options: object) => GrpcServer;
  readonly ServerCredentials: { createInsecure(): unknown };
}

interface Loader {
  fromJSON(protocol: unknown, options: object): Readonly<Record<string, unknown>>;
}

export interface RegisteredFunction {
  readonly name: string;
  readonly functionId: string;
  readonly bindings: Readonly<Record<string, { readonly type: string; readonly direction: string }>>;
}

export interface InvocationResult {
  readonly result: { readonly status: string; readonly exception?: { readonly message: string } | null };
  readonly returnValue?: { readonly http?: HttpResponse } | null;
}

export interface HttpResponse {
  readonly statusCode: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes?: Uint8Array; readonly string?: string } | null;
}

interface Waiting {
  readonly content: string;
  readonly invocationId: string | undefined;
  readonly resolve: (response: unknown) => void;
}

export class FunctionsHost {
  readonly capabilities: Readonly<Record<string, string>>;
  readonly functions: readonly RegisteredFunction[];
  readonly #worker: RunningWorker;

  private constructor(
    worker: RunningWorker,
    given: { capabilities: Readonly<Record<string, string>>; functions: readonly RegisteredFunction[] },
  ) {
    this.#worker = worker;
    this.capabilities = given.capabilities;
    this.functions = given.functions;
  }

  /** Starts the worker with an app and loads all of its functions. @throws Error with the worker's own words. */
  static async start(options: {
    readonly checkout: string;
    readonly appDir: string;
    readonly env: Readonly<Record<string, string>>;
  }): Promise<FunctionsHost> {
    const { checkout, appDir, env } = options;
    const worker = await RunningWorker.start(checkout, env);
    try {
      const { capabilities } = (await worker.query('workerInitResponse', {
        workerInitRequest: {
          hostVersion: '4.1037.0',
          functionAppDirectory: appDir,
          workerDirectory: checkout,
        },
      })) as { capabilities: Record<string, string> };
      const indexed = (await worker.query('functionMetadataResponse', {
        functionsMetadataRequest: { functionAppDirectory: appDir },
      })) as {
        functionMetadataResults: RegisteredFunction[];
        useDefaultMetadataIndexing: boolean;
      } & InvocationResult;
      if (indexed.result.status !== 'Success') {
        throw new Error(
          `the app was not started: ${indexed.result.exception?.message ?? ''}${worker.output}`,
        );
      }
      const functions = indexed.useDefaultMetadataIndexing
        ? declaredFunctions(appDir)
        : indexed.functionMetadataResults;
      // An entry point that fails before it registers anything leaves just this, and what it printed.
      if (functions.length === 0 && hasEntryPoint(appDir))
        throw new Error(`the app registered no function: ${worker.output}`);
      for (const metadata of functions) {
        const { result } = (await worker.query('functionLoadResponse', {
          functionLoadRequest: { functionId: metadata.functionId, metadata },
        })) as InvocationResult;
        if (result.status !== 'Success')
          throw new Error(`${metadata.name}: ${result.exception?.message ?? ''}`);
      }
      return new FunctionsHost(worker, { capabilities, functions });
    } catch (error) {
      await worker.close();
      throw error;
    }
  }

  /** @param input `TypedData` of the protocol, for the binding of the trigger. */
  async invoke(name: string, input: Message, triggerMetadata: Message = {}): Promise<InvocationResult> {
    const found = this.functions.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no function ${name}`);
    const [binding = ''] =
      Object.entries(found.bindings).find(([, { type }]) => /trigger$/i.test(type)) ?? [];
    const invocationId = `${name}-${performance.now()}`;
    const request = {
      invocationId,
      functionId: found.functionId,
      inputData: [{ name: binding, data: input }],
      triggerMetadata,
    };
    return (await this.#worker.query(
      'invocationResponse',
      { invocationRequest: request },
      invocationId,
    )) as InvocationResult;
  }

  /** Of the worker's process, until now. Linux only. */
  usage(): { readonly cpuMs: number; readonly rssMb: number } {
    return this.#worker.usage();
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}

function hasEntryPoint(appDir: string): boolean {
  const { main } = JSON.parse(fs.readFileSync(path.join(appDir, 'package.json'), 'utf8')) as {
    main?: string;
  };
  return main !== undefined;
}

/** Of an app that registers none: those of its function.json files, as the host tells the worker. */
function declaredFunctions(appDir: string): RegisteredFunction[] {
  return readFunctions(appDir).map(({ name, bindings, ...code }) => ({
    ...code,
    name,
    functionId: name,
    directory: path.join(appDir, name),
    bindings: Object.fromEntries(
      bindings.map(({ name: binding, type, direction }) => [binding, { type, direction }]),
    ),
  }));
}

const TICK_MS = 10;

/** Nothing of it is a dependency of this project. */
const OF_THE_CHECKOUT = {
  grpc: '@grpc/grpc-js',
  loader: '@grpc/proto-loader',
  protocol: './dist/azure-functions-language-worker-protobuf/src/rpc',
};

class RunningWorker {
  output = '';
  readonly #waiting: Waiting[] = [];
  readonly #server: GrpcServer;
  readonly #child: ChildProcess;
  readonly #opened: Promise<Stream>;

  private constructor(server: GrpcServer, child: ChildProcess, opened: Promise<Stream>) {
    this.#server = server;
    this.#child = child;
    this.#opened = opened;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    // Who waits is told why; nobody else would.
    child.once('exit', (code) => {
      for (const { resolve } of this.#waiting.splice(0)) {
        resolve(Promise.reject(new Error(`the worker ended (${code ?? 'killed'})\n${this.output}`)));
      }
    });
  }

  static async start(checkout: string, env: Readonly<Record<string, string>>): Promise<RunningWorker> {
    const require = createRequire(path.join(checkout, 'package.json'));
    const grpc = require(OF_THE_CHECKOUT.grpc) as Grpc;
    const loader = require(OF_THE_CHECKOUT.loader) as Loader;
    const protocol: unknown = require(OF_THE_CHECKOUT.protocol);
    const options = { objects: true, defaults: true, oneofs: true, enums: String };
    const service = loader.fromJSON(protocol, options)['AzureFunctionsRpcMessages.FunctionRpc'];
    const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
    const opened = Promise.withResolvers<Stream>();
    const started: { worker?: RunningWorker } = {};
    server.addService(service, {
      eventStream(stream) {
        stream.on('error', () => undefined);
        stream.on('data', (message) => {
          if (message.content === 'startStream') opened.resolve(stream);
          else started.worker?.take(message);
        });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    server.start();
    // Not by its own main file, which knows the versions of Node of its day.
    const child = spawn(
      process.execPath,
      [
        '--eval',
        'require(process.argv[1]).startNodeWorker(["", "", ...process.argv.slice(2)])',
        path.join(checkout, 'dist/src/Worker.js'),
        ...['--functions-uri', `http://127.0.0.1:${port}`, '--functions-worker-id', 'worker'],
        ...['--functions-request-id', 'start', '--functions-grpc-max-message-length', '2147483647'],
      ],
      { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    started.worker = new RunningWorker(server, child, opened.promise);
    return started.worker;
  }

  take(message: Message & { readonly content: string }): void {
    const response = message[message.content] as { readonly invocationId?: string };
    const at = this.#waiting.findIndex(
      ({ content, invocationId }) =>
        content === message.content && (invocationId === undefined || invocationId === response.invocationId),
    );
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(response);
  }

  async query(content: string, request: Message, invocationId?: string): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.push({ content, invocationId, resolve });
    void this.#opened.then((stream) => {
      stream.write({ requestId: content, ...request });
    });
    return promise;
  }

  usage(): { readonly cpuMs: number; readonly rssMb: number } {
    const read = (file: string): string => fs.readFileSync(`/proc/${this.#child.pid ?? ''}/${file}`, 'utf8');
    const times = read('stat').split(') ')[1]?.split(' ') ?? [];
    const [, kb = 'NaN'] = /VmRSS:\s+(\d+)/.exec(read('status')) ?? [];
    return { cpuMs: (Number(times[11]) + Number(times[12])) * TICK_MS, rssMb: Number(kb) / 1_024 };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
    this.#server.forceShutdown();
  }
}
