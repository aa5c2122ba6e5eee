/**
 * The single entry point of the app in the programming model v4, made from the functions that the service definition
 * declares: one registration each, all in one bundle.
 *
 * Invariant: a trigger is declared in one place, serverless.azure.yml, and nothing of a declaration is dropped: what is
 * not known here is refused.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-reference-node?pivots=nodejs-model-v4
 */
import fs from 'node:fs';
import path from 'node:path';

/** What the worker starts, named in the package's package.json; it loads the bundle. */
const MAIN = 'main.cjs';
/** Without its extension. */
export const BUNDLE = 'app';

/** Given by the worker when it loads the bundle; no package. */
export const GIVEN_BY_WORKER = '@azure/functions-core';

/** The part of a function in the service definition that is used. */
export interface DeclaredFunction {
  readonly handler?: string;
  readonly events?: readonly Readonly<Record<string, unknown>>[];
}

export interface Registration {
  readonly name: string;
  /** Of the handler, without an extension, and what it exports. */
  readonly source: string;
  readonly exported: string;
  readonly trigger: Readonly<Record<string, unknown>> & { readonly type: string; readonly name: string };
}

interface Kind {
  readonly type: string;
  /** Of the binding, where the declaration gives none. */
  readonly name: string;
  readonly settings: readonly string[];
}

/** The triggers by the member of an event that names them, with the settings that the host knows of each. */
const KINDS: Readonly<Record<string, Kind>> = {
  http: { type: 'httpTrigger', name: 'req', settings: ['route', 'methods', 'authLevel'] },
  serviceBus: {
    type: 'serviceBusTrigger',
    name: 'messages',
    settings: [
      'queueName',
      'connection',
      'cardinality',
      'dataType',
      'isSessionsEnabled',
      'autoCompleteMessages',
    ],
  },
  timer: { type: 'timerTrigger', name: 'timer', settings: ['schedule', 'runOnStartup', 'useMonitor'] },
};

/** As the host checks them (Utility.ValidateName). */
const NAME = /^(?!host$)[a-z][\w-]{0,127}$/i;

/** @throws Error naming the function and what is wrong with its declaration. */
export function registrationsOf(functions: Readonly<Record<string, DeclaredFunction>>): Registration[] {
  return Object.entries(functions).map(([name, { handler = '', events = [] }]) => {
    const [event] = events;
    if (!NAME.test(name)) throw new Error(`function ${name}: the host refuses its name`);
    const [, source, exported] = /^(.+)\.(\w+)$/.exec(handler) ?? [];
    if (source === undefined || exported === undefined) {
      throw new Error(`function ${name}: its handler '${handler}' names no export of a file`);
    }
    if (event === undefined || events.length > 1) {
      throw new Error(`function ${name}: it has ${events.length} events; a function has one trigger`);
    }
    return { name, source, exported, trigger: triggerOf(name, event) };
  });
}

function triggerOf(name: string, event: Readonly<Record<string, unknown>>): Registration['trigger'] {
  const [found, ...others] = Object.entries(KINDS).filter(([kind]) => event[kind] === true);
  if (found === undefined || others.length > 0) {
    throw new Error(`function ${name}: its event is none of ${Object.keys(KINDS).join(', ')}`);
  }
  const [kind, { type, settings, name: usual }] = found;
  const { [kind]: _, name: bindingName = usual, ...given } = event;
  const unknown = Object.keys(given).filter((setting) => !settings.includes(setting));
  if (unknown.length > 0) throw new Error(`function ${name}: ${kind} has no ${unknown.join(', ')}`);
  return { type, name: String(bindingName), ...given };
}

/**
 * The source of the bundle. `generic` and not `http`, which would make GET and POST of a route that names no methods:
 * 405 and preflights are answered by our code.
 */
export function entrySource(registrations: readonly Registration[]): string {
  const sources = [...new Set(registrations.map(({ source }) => source))];
  const imports = sources.map((source, i) => `import * as m${i} from ${JSON.stringify(`./${source}`)};`);
  const calls = registrations.map(({ name, source, exported, trigger }) => {
    const output = trigger.type === 'httpTrigger' ? " return: { type: 'http', name: '$return' }," : '';
    const handler = `m${sources.indexOf(source)}.${exported}`;
    return `app.generic(${JSON.stringify(name)}, { trigger: ${JSON.stringify(trigger)},${output} handler: ${handler} });`;
  });
  return [`import { app } from '@azure/functions';`, ...imports, ...calls, ''].join('\n');
}

/**
 * A folder with all of an app but its bundle.
 *
 * Source maps are switched on by a file of their own, because they count for what is loaded after. The argument of Node
 * would do the same, but a worker with arguments of its own is started anew, and not the one that the platform keeps
 * warm (WebHostRpcWorkerChannelManager.UsePlaceholderChannel of the host).
 */
export function writeAppFolder(appDir: string, { name, hostJson }: { name: string; hostJson: string }): void {
  fs.rmSync(appDir, { recursive: true, force: true });
  fs.mkdirSync(appDir, { recursive: true });
  fs.copyFileSync(hostJson, path.join(appDir, 'host.json'));
  const manifest = { name, private: true, main: MAIN };
  fs.writeFileSync(path.join(appDir, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const main = `'use strict';\nprocess.setSourceMapsEnabled(true);\nrequire('./${BUNDLE}.cjs');\n`;
  fs.writeFileSync(path.join(appDir, MAIN), main);
}
