/**
 * Resolves a service definition with the framework's own reader and variables, without its commands and plugins.
 *
 * The environment is that of the process.
 */
import { createRequire } from 'node:module';
import path from 'node:path';

interface Configuration {
  readonly service: string;
  readonly provider: Readonly<Record<string, unknown>>;
  readonly custom?: unknown;
  readonly functions: unknown;
  readonly resources?: unknown;
}

interface Service {
  loadServiceFileParam(): void;
  mergeArrays(): void;
  setFunctionNames(options: object): void;
  readonly provider: unknown;
  readonly functions: unknown;
  readonly resources: unknown;
}

type ReadConfiguration = (file: string) => Promise<Configuration>;
type ResolveVariables = (options: object) => Promise<void>;

const require = createRequire(import.meta.url);
const ofFramework = (module: string): unknown => require(`serverless/lib/${module}`);

const readConfiguration = ofFramework('configuration/read') as ReadConfiguration;
const resolveVariables = ofFramework('configuration/variables') as ResolveVariables;
const sourceOf = (name: string): unknown => ofFramework(`configuration/variables/sources/${name}`);
const sourceFor = (name: string, instance?: object): object =>
  (sourceOf(`instance-dependent/${name}`) as (instance?: object) => object)(instance);

/**
 * @param file The definition; absolute.
 * @param params As `--param`: `features.objects=true`.
 * @throws Error with the framework's words when it cannot be resolved.
 */
export async function resolveDefinition(
  file: string,
  region: string,
  params: readonly string[] = [],
): Promise<object> {
  const serviceDir = path.dirname(file);
  forgetModules(path.join(serviceDir, 'infra'));
  const configuration = await readConfiguration(file);
  const options = { region, param: params };
  const instance = { configurationInput: configuration, processedInput: { options } };
  await resolveVariables({
    serviceDir,
    configuration,
    options,
    sources: {
      env: sourceOf('env'),
      file: sourceOf('file'),
      opt: sourceOf('opt'),
      self: sourceOf('self'),
      strToBool: sourceOf('str-to-bool'),
      sls: sourceFor('get-sls'),
      param: sourceFor('param', instance),
    },
  });
  // What the framework makes of it: arrays merged, functions named, those switched off left out.
  const version = (require('serverless/package.json') as { version: string }).version;
  const ServiceOfFramework = ofFramework('classes/service') as new (serverless: object) => Service;
  const service = new ServiceOfFramework({
    ...instance,
    serviceDir,
    configurationFilename: path.basename(file),
    utils: { getVersion: () => version },
  });
  service.loadServiceFileParam();
  service.mergeArrays();
  service.setFunctionNames(options);
  const { provider, functions, resources } = service;
  return { service: configuration.service, provider, custom: configuration.custom, functions, resources };
}

/** Modules that a definition names are read afresh each time. */
function forgetModules(folder: string): void {
  for (const file of Object.keys(require.cache))
    if (file.startsWith(folder + path.sep)) Reflect.deleteProperty(require.cache, file);
}
