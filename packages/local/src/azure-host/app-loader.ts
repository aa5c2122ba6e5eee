/**
 * Loads the code of a function app as Microsoft's Node worker does: `main` of package.json first, which registers
 * functions (programming model v4); where nothing is registered, function.json files and what they name (v3).
 *
 * Invariant: one model an app. A registration makes the host ignore every function.json, and it says so.
 *
 * Not imitated: a `main` that is an ES module or a pattern, hooks, and HTTP streams, which this app does not use; each is
 * refused.
 * @see https://github.com/Azure/azure-functions-nodejs-worker/blob/v3.x/src/startApp.ts
 * @see https://github.com/Azure/azure-functions-nodejs-worker/blob/v3.x/src/coreApi/registerFunction.ts
 */
import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import path from 'node:path';
import { evaluateAnew, type Evaluated } from '../code/evaluate-anew.ts';
import {
  type Binding,
  definitionOf,
  type FunctionDefinition,
  functionFolders,
  readFunctions,
  readMain,
} from './function-app.ts';
import type { FunctionCallback, Model } from './programming-model.ts';

export interface LoadedApp {
  readonly model: Model;
  readonly functions: readonly FunctionDefinition[];
  /** By the names of the functions. */
  readonly callbacks: ReadonlyMap<string, FunctionCallback>;
}

/** What the worker gives to `@azure/functions` under this name; it is no package. */
const CORE = '@azure/functions-core';
/** The programming model that the worker brings along for function.json apps. */
const MODEL_V3 = 'azure-functions-v3';
/** The versions that the sources above are of. */
const WORKER_VERSION = '3.9.1';
const HOST_VERSION = '4.1037.0';

interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Omit<Binding, 'name'>>>;
}

export class AppLoader {
  readonly #appDir: string;
  readonly #log: (line: string) => void;
  readonly #require = createRequire(import.meta.url);

  constructor(appDir: string, log: (line: string) => void) {
    // As in the module cache: symbolic links resolved.
    this.#appDir = fs.realpathSync(appDir);
    this.#log = log;
  }

  /** Reads and evaluates the app's files, anew at each call. @throws Error that names what could not be loaded. */
  load(): Evaluated<LoadedApp> {
    return evaluateAnew(this.#require, this.#appDir, () => this.#loadMain() ?? this.#loadFolders());
  }

  /** Undefined: there is no `main`, or it registers nothing. */
  #loadMain(): LoadedApp | undefined {
    const main = readMain(this.#appDir);
    if (main === undefined) return undefined;
    const file = path.join(this.#appDir, main);
    const core = new CoreApi(file);
    try {
      if (!fs.existsSync(file)) throw new Error('File does not exist');
      if (path.extname(file) !== '.cjs') throw new Error('the local host loads a .cjs file only');
      withCore(core, () => this.#require(file) as unknown);
    } catch (error) {
      throw loadError(main, error);
    }
    core.lock();
    const { functions, callbacks, model } = core;
    if (functions.length === 0 || model === undefined) return undefined;
    const ignored = functionFolders(this.#appDir);
    if (ignored.length > 0) {
      this.#log(`Detected mixed function app. Some functions may not be indexed - ${ignored.join(', ')}`);
    }
    return { model, functions, callbacks };
  }

  #loadFolders(): LoadedApp {
    const functions = readFunctions(this.#appDir);
    const callbacks = functions.map((definition) => [definition.name, this.#exported(definition)] as const);
    return { model: this.#modelV3(), functions, callbacks: new Map(callbacks) };
  }

  #exported({ name, scriptFile, entryPoint = '' }: FunctionDefinition): FunctionCallback {
    const callback = (this.#require(scriptFile) as Record<string, unknown>)[entryPoint];
    if (typeof callback !== 'function') {
      throw new Error(`function ${name}: ${scriptFile} exports no function '${entryPoint}'`);
    }
    return callback as FunctionCallback;
  }

  #modelV3(): Model {
    const core = new CoreApi(MODEL_V3);
    Reflect.deleteProperty(this.#require.cache, this.#require.resolve(MODEL_V3));
    withCore(core, () => {
      (this.#require(MODEL_V3) as { setup(): void }).setup();
    });
    if (core.model === undefined) throw new Error(`${MODEL_V3} registered no programming model`);
    return core.model;
  }
}

/** What the worker offers to `@azure/functions`. Without `log`, which the package takes for one without HTTP streams. */
class CoreApi {
  readonly version = WORKER_VERSION;
  readonly hostVersion = HOST_VERSION;
  readonly functions: FunctionDefinition[] = [];
  readonly callbacks = new Map<string, FunctionCallback>();
  model: Model | undefined;
  readonly #file: string;
  #locked = false;

  constructor(file: string) {
    this.#file = file;
  }

  lock(): void {
    this.#locked = true;
  }

  // The package takes them off this object and calls them as they are.
  readonly setProgrammingModel = (model: Model): void => {
    this.model = model;
  };

  readonly getProgrammingModel = (): Model | undefined => this.model;

  readonly registerFunction = (
    { name, bindings }: FunctionMetadata,
    callback: FunctionCallback,
  ): { dispose(): void } => {
    if (this.#locked) throw new Error('A function can only be registered during app startup.');
    if (this.callbacks.has(name))
      throw new Error(`A function with id "${name}" has already been registered.`);
    const named = Object.entries(bindings).map(([binding, rest]) => ({ ...rest, name: binding }));
    this.functions.push({ ...definitionOf(name, named), scriptFile: this.#file });
    this.callbacks.set(name, callback);
    return { dispose: refuse('taking a registration back') };
  };

  readonly registerHook = refuse('hooks');
}

function refuse(what: string): () => never {
  return () => {
    throw new Error(`the local host does not know ${what}`);
  };
}

/** The worker answers `require('@azure/functions-core')` in the same way, for as long as it lives. */
function withCore<Result>(core: CoreApi, load: () => Result): Result {
  const { prototype } = Module;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the module that requires
  const { require: original } = prototype;
  prototype.require = Object.assign(function requireOrCore(this: NodeJS.Module, id: string): unknown {
    return id === CORE ? core : original.call(this, id);
  }, original);
  try {
    return load();
  } finally {
    prototype.require = original;
  }
}

/** In the worker's words. Of a wrong configuration there is nothing to say but what is wrong. */
function loadError(main: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new Error(`Worker was unable to load entry point "${main}": ${reason}`, { cause });
  const isConfiguration = cause instanceof Error && 'failures' in cause;
  if (isConfiguration) error.stack = error.message;
  else if (cause instanceof Error) error.stack = `${error.message}\n${cause.stack ?? ''}`;
  return error;
}
