/**
 * Resolves a service definition with the framework's own reader and variables, without its commands and plugins, and
 * writes it to standard output as JSON. Arguments: the definition, and the region.
 *
 * A process of its own: modules that a definition names (`infra/**.cjs`) are read afresh each time.
 */
import { createRequire, flushCompileCache } from 'node:module';
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

const [, , file = '', region = ''] = process.argv;
const serviceDir = path.dirname(file);
const require = createRequire(import.meta.url);
const ofFramework = (module: string): unknown => require(`serverless/lib/${module}`);

const readConfiguration = ofFramework('configuration/read') as ReadConfiguration;
const resolveVariables = ofFramework('configuration/variables') as ResolveVariables;
const sourceOf = (name: string): unknown => ofFramework(`configuration/variables/sources/${name}`);
const sourceFor = (name: string, instance?: object): object =>
  (sourceOf(`instance-dependent/${name}`) as (instance?: object) => object)(instance);

async function resolved(): Promise<object> {
  const configuration = await readConfiguration(file);
  const options = { region };
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

try {
  process.stdout.write(JSON.stringify(await resolved()));
  flushCompileCache();
} catch (error) {
  process.stderr.write(`${path.basename(file)}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
