/**
 * What a packaged function app declares: host.json; and its functions, by registrations of its entry point (programming
 * model v4), or by one folder for each with its function.json (v3).
 * @see https://learn.microsoft.com/azure/azure-functions/functions-reference-node
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** One entry of `bindings` in function.json; the other properties depend on its type. */
export interface Binding {
  readonly name: string;
  readonly type: string;
  readonly direction: 'in' | 'out' | 'inout';
  readonly route?: string;
  readonly methods?: readonly string[];
  readonly queueName?: string;
  readonly connection?: string;
  readonly cardinality?: 'one' | 'many';
  readonly dataType?: 'string' | 'binary' | 'stream';
  readonly autoComplete?: boolean;
  readonly schedule?: string;
  readonly runOnStartup?: boolean;
}

export type TriggerType = 'httpTrigger' | 'serviceBusTrigger' | 'timerTrigger';

export interface FunctionDefinition {
  readonly name: string;
  /** Absolute path of the file that holds, or registers, the function. */
  readonly scriptFile: string;
  /** What that file exports (v3). */
  readonly entryPoint?: string;
  readonly trigger: Binding & { readonly type: TriggerType };
  readonly bindings: readonly Binding[];
}

/** What host.json says, with the host's defaults filled in. */
export interface HostConfig {
  readonly routePrefix: string;
  readonly prefetchCount: number;
  readonly maxMessageBatchSize: number;
  readonly autoCompleteMessages: boolean;
  /** Single messages that one instance handles side by side; batches are always one at a time. */
  readonly maxConcurrentCalls: number;
  /** Of single messages only. */
  readonly maxAutoLockRenewalMs: number;
  readonly functionTimeoutMs: number;
}

interface HostJson {
  readonly functionTimeout?: string;
  readonly extensions?: {
    readonly http?: { readonly routePrefix?: string };
    readonly serviceBus?: {
      readonly prefetchCount?: number;
      readonly maxMessageBatchSize?: number;
      readonly autoCompleteMessages?: boolean;
      readonly maxConcurrentCalls?: number;
      readonly maxAutoLockRenewalDuration?: string;
    };
  };
}

const TRIGGER_TYPES = new Map<string, TriggerType>(
  (['httpTrigger', 'serviceBusTrigger', 'timerTrigger'] as const).map((type) => [type.toLowerCase(), type]),
);

/** @throws Error when there is no host.json, the mark of an app's root, or it is not JSON. */
export function readHostConfig(appDir: string): HostConfig {
  const { extensions, functionTimeout } = readJson(path.join(appDir, 'host.json')) as HostJson;
  return {
    routePrefix: extensions?.http?.routePrefix ?? 'api',
    prefetchCount: extensions?.serviceBus?.prefetchCount ?? 0,
    maxMessageBatchSize: extensions?.serviceBus?.maxMessageBatchSize ?? 1_000,
    autoCompleteMessages: extensions?.serviceBus?.autoCompleteMessages ?? true,
    maxConcurrentCalls: extensions?.serviceBus?.maxConcurrentCalls ?? 16 * os.availableParallelism(),
    maxAutoLockRenewalMs: timeSpan(extensions?.serviceBus?.maxAutoLockRenewalDuration ?? '00:05:00'),
    // Flex Consumption's default.
    functionTimeoutMs: timeSpan(functionTimeout ?? '00:30:00'),
  };
}

/** `main` of package.json, by which an app names its entry point; undefined: it has none. @throws Error when it is no JSON. */
export function readMain(appDir: string): string | undefined {
  const file = path.join(appDir, 'package.json');
  return fs.existsSync(file) ? (readJson(file) as { readonly main?: string }).main : undefined;
}

/** Folders with a function.json. */
export function functionFolders(appDir: string): string[] {
  return fs
    .readdirSync(appDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && fs.existsSync(path.join(appDir, entry.name, 'function.json')))
    .map(({ name }) => name);
}

/**
 * Reads every function.json. Functions that are disabled there are left out.
 * @throws Error naming the function and what is wrong with it.
 */
export function readFunctions(appDir: string): FunctionDefinition[] {
  return functionFolders(appDir)
    .map((name) => readFunction(path.join(appDir, name)))
    .filter((definition) => definition !== undefined);
}

function readFunction(folder: string): FunctionDefinition | undefined {
  const name = path.basename(folder);
  const { bindings, scriptFile, entryPoint, disabled } = readJson(path.join(folder, 'function.json')) as {
    bindings: readonly Binding[];
    scriptFile: string;
    entryPoint: string;
    disabled?: boolean;
  };
  if (disabled === true) return undefined;
  return { ...definitionOf(name, bindings), scriptFile: path.resolve(folder, scriptFile), entryPoint };
}

/** As the host checks names (Utility.ValidateName). */
const NAME = /^(?!host$)[a-z][\w-]{0,127}$/i;

/** @throws Error naming the function and what is wrong with it. */
export function definitionOf(
  name: string,
  bindings: readonly Binding[],
): Pick<FunctionDefinition, 'name' | 'trigger' | 'bindings'> {
  if (!NAME.test(name)) throw new Error(`function ${name}: this is no name of a function`);
  const triggers = bindings.filter(({ type }) => /trigger$/i.test(type));
  const [trigger] = triggers;
  if (trigger === undefined || triggers.length > 1) {
    throw new Error(`function ${name}: it has ${triggers.length} triggers; expected one`);
  }
  const type = TRIGGER_TYPES.get(trigger.type.toLowerCase());
  if (type === undefined) throw new Error(`function ${name}: the local host does not know ${trigger.type}`);
  return { name, trigger: { ...trigger, type }, bindings };
}

/** `00:05:00` in milliseconds. @throws SyntaxError when it is not written so. */
function timeSpan(text: string): number {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text) ?? [];
  if (hours === undefined) throw new SyntaxError(`host.json: '${text}' is not a time such as 00:05:00`);
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
