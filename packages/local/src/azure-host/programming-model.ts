/**
 * Microsoft's own code between the host and a function, in this process: `@azure/functions`, of the version that the app
 * holds, or 3.x for function.json apps. It builds `context` and the inputs, runs the function and turns what comes back
 * into the host's terms, so a handler sees here what it sees in the cloud.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import type { FunctionDefinition } from './function-app.ts';

/** A value on the wire between host and worker (`TypedData` of the worker protocol). */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: RpcHttp;
  readonly collectionString?: { readonly string: readonly string[] };
  readonly collectionBytes?: { readonly bytes: readonly Uint8Array[] };
  readonly collectionSint64?: { readonly sint64: readonly string[] };
}

export interface RpcCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: { readonly value: string };
  readonly path?: { readonly value: string };
  readonly expires?: { readonly value: { readonly seconds: number } };
  readonly secure?: { readonly value: boolean };
  readonly httpOnly?: { readonly value: boolean };
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  readonly maxAge?: { readonly value: number };
}

/** An HTTP request or response on the wire. */
export interface RpcHttp {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly nullableHeaders?: NullableMap;
  readonly nullableParams?: NullableMap;
  readonly nullableQuery?: NullableMap;
  readonly statusCode?: string | null;
  readonly body?: TypedData;
  readonly cookies?: readonly RpcCookie[];
}

type NullableMap = Readonly<Record<string, { readonly value: string }>>;

export type TriggerMetadata = Readonly<Record<string, TypedData>>;

export interface Invocation {
  readonly input: TypedData;
  readonly metadata?: TriggerMetadata;
  /** W3C `traceparent` of the caller; absent: the invocation begins a trace. */
  readonly traceparent?: string | undefined;
}

export interface InvocationResult {
  readonly returnValue?: TypedData;
  readonly outputData?: readonly { readonly name: string; readonly data: TypedData }[];
}

/** A function's code. The model knows its arguments: context and inputs (3.x), or inputs and context (4.x). */
export type FunctionCallback = (...given: unknown[]) => unknown;

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResult>;
}

/** What `@azure/functions` registers with the worker. */
export interface Model {
  readonly version: string;
  getInvocationModel(context: object): InvocationModel;
  /** Of 4.x: completes what the worker says that it can do, HTTP streams among it. */
  getCapabilities?(capabilities: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
}

/** Runs functions the way the Functions worker does. */
export class ProgrammingModel {
  readonly #model: Model;
  readonly #log: (functionName: string, level: string, message: string) => void;

  constructor(model: Model, log: (functionName: string, level: string, message: string) => void) {
    this.#model = model;
    this.#log = log;
  }

  /** @throws Whatever the function throws. */
  async invoke(
    definition: FunctionDefinition,
    callback: FunctionCallback,
    { input, metadata = {}, traceparent }: Invocation,
  ): Promise<InvocationResult> {
    const invocationId = randomUUID();
    const { name } = definition;
    const model = this.#model.getInvocationModel({
      invocationId,
      metadata: {
        name,
        directory: path.dirname(definition.scriptFile),
        bindings: Object.fromEntries(
          definition.bindings.map((binding) => [
            binding.name,
            { type: binding.type, direction: binding.direction },
          ]),
        ),
      },
      request: {
        invocationId,
        inputData: [{ name: definition.trigger.name, data: input }],
        // For HTTP the worker declines it (RpcHttpTriggerMetadataRemoved) and the model fills in what is left.
        triggerMetadata: input.http === undefined ? metadata : {},
        traceContext: { traceParent: childOf(traceparent), traceState: '', attributes: {} },
        retryContext: null,
      },
      log: (level: string, _category: string, message: string) => {
        this.#log(name, level, message);
      },
    });
    const { context, inputs } = await model.getArguments();
    const result = await model.invokeFunction(context, inputs, callback);
    return model.getResponse(context, result);
  }
}

/** The host makes a span of its own for each invocation, in the caller's trace if it has one (W3C Trace Context). */
function childOf(traceparent: string | undefined): string {
  const [, traceId, , flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
  return `00-${traceId ?? randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags ?? '01'}`;
}
