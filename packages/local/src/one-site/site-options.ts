/** A site to run, from what the CLI knows after it has read the service definition. */
import { hasColour } from '@tandem-clouds/command-line/terminal';
import { withDotEnv } from '../stack/dot-env.ts';
import { Output } from '../stack/output.ts';
import { type Cloud, type SiteName } from '../stack/sites.ts';
import type { SiteRunOptions } from './site-run.ts';

/** As the configuration has it (src/shared/config/config-schema.ts). */
const SITE = /^[a-z0-9][a-z0-9-]{0,47}$/;
const PORT_MAX = 65_535;

/** The part of the Serverless instance that is used. */
export interface DefinitionOfSite {
  readonly serviceDir: string;
  readonly service: {
    readonly provider: {
      readonly name: Cloud;
      readonly region: string;
      readonly environment?: Readonly<Record<string, unknown>>;
    };
  };
}

/** Options of the command line that name the port of the functions: serverless-offline's and Core Tools'. */
interface CommandOptions {
  readonly httpPort?: string | number;
  readonly port?: string | number;
}

/** The name that its data goes by: the environment first, as for every setting of a local run. */
export function siteOf({ service }: DefinitionOfSite): SiteName {
  const { name: cloud, region, environment } = service.provider;
  const declared = environment?.['TANDEM_SITE'];
  const site = process.env['TANDEM_SITE'] ?? (typeof declared === 'string' ? declared : `${cloud}-${region}`);
  // It becomes the name of folders.
  if (!SITE.test(site))
    throw new RangeError(`'${site}' is not the name of a site: small letters, digits and hyphens`);
  return { site, cloud, region };
}

/** @throws RangeError when it is not a TCP port. */
function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > PORT_MAX) throw new RangeError(`'${text}' is not a TCP port`);
  return Number(text);
}

/** @param functions Arguments of the CLI for the functions; absent: the emulators run alone. */
export function siteOptions(
  definition: DefinitionOfSite,
  options: CommandOptions,
  functions?: readonly string[],
): SiteRunOptions {
  const chosen = options.httpPort ?? options.port ?? process.env['TANDEM_HTTP_PORT'];
  return {
    projectDir: definition.serviceDir,
    site: siteOf(definition),
    declared: definition.service.provider.environment ?? {},
    inherited: withDotEnv(definition.serviceDir, process.env),
    httpPort: chosen === undefined ? undefined : portOf(String(chosen)),
    ...(functions && { functions }),
    output: new Output({
      write: (text) => process.stdout.write(text),
      verbose: false,
      colour: hasColour(process.stdout),
    }),
    onFunctionsLine: (line) => process.stdout.write(`${line}\n`),
  };
}
