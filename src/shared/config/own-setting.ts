/**
 * What a setting of one's own is, and how settings become a part of the configuration and of its schema.
 *
 * A deployed function finds them in one variable, `TANDEM_OWN_SETTINGS` (a JSON object, variable → text), which both service
 * definitions fill from the environment of whoever deploys (infra/serverless/own-settings.cjs); a variable of its own
 * overrides it.
 */
import type { Failure } from '../errors.ts';

interface Base {
  /** `MAIL_FROM` */
  readonly env: string;
  /** For whoever deploys. */
  readonly description: string;
}

/** JSON Schema of one value; `default` makes it optional. */
export type OwnSetting = Base &
  (
    | {
        readonly type: 'string';
        readonly enum?: readonly string[];
        readonly minLength?: number;
        readonly maxLength?: number;
        readonly pattern?: string;
        readonly default?: string;
      }
    | {
        readonly type: 'integer' | 'number';
        readonly minimum?: number;
        readonly maximum?: number;
        readonly default?: number;
      }
    | { readonly type: 'boolean'; readonly default?: boolean }
    | {
        /** Of texts: `a,b` in the variable. */
        readonly type: 'array';
        readonly items: { readonly type: 'string'; readonly minLength?: number; readonly pattern?: string };
        readonly minItems?: number;
        readonly maxItems: number;
        readonly default?: readonly string[];
      }
  );

/** Name in `services.config` → setting. */
export type OwnSettings = Readonly<Record<string, OwnSetting>>;

type ValueOf<S extends OwnSetting> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: 'string' }
    ? string
    : S extends { readonly type: 'integer' | 'number' }
      ? number
      : S extends { readonly type: 'boolean' }
        ? boolean
        : readonly string[];

export type OwnConfigOf<S extends OwnSettings> = { readonly [Name in keyof S]: ValueOf<S[Name]> };

type Environment = Readonly<Record<string, string | undefined>>;

const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;
const VARIABLE = /^[A-Z][A-Z0-9_]{1,63}$/;
/** Of the product, of the platforms, of Node, and of secrets: what `npm start` does not pass on, or somebody else sets. */
const RESERVED =
  /^(TANDEM|AWS|AZURE|COSMOS|SERVICE_?BUS|RESOURCE_MANAGER|KEY_VAULT|IDENTITY|MSI|LAMBDA|FUNCTIONS|WEBSITE|APPLICATIONINSIGHTS|APPINSIGHTS|SLS|SERVERLESS|NODE|SECRET)(_|$)/;
/** The whole environment of a Lambda function has at most 4 KB. */
const SETTINGS_MAX = 32;

/** What is wrong with declared settings, all of it. */
export function ownMistakes(settings: OwnSettings): string[] {
  const variables = Object.values(settings).map(({ env }) => env);
  return [
    ...(variables.length > SETTINGS_MAX ? [`${variables.length} settings; ${SETTINGS_MAX} are taken`] : []),
    ...Object.entries(settings).flatMap(([name, { env }]) => [
      ...(NAME.test(name) ? [] : [`${name}: a name is lower camel case, 64 characters at most`]),
      ...(VARIABLE.test(env) ? [] : [`${name}.env: '${env}' is not of the form MAIL_FROM`]),
      ...(RESERVED.test(env) ? [`${name}.env: ${env} begins as a variable of somebody else`] : []),
      ...(variables.indexOf(env) !== variables.lastIndexOf(env)
        ? [`${name}.env: ${env} is there twice`]
        : []),
    ]),
  ];
}

/** The part of the configuration's schema. @throws TypeError that names every mistake in the settings. */
export function ownSchema(settings: OwnSettings) {
  const mistakes = ownMistakes(settings);
  if (mistakes.length > 0) throw new TypeError(`own-settings.ts: ${mistakes.join('; ')}`);
  const properties = Object.fromEntries(
    Object.entries(settings).map(([name, { env: _env, default: _default, ...schema }]) => [name, schema]),
  );
  return {
    type: 'object',
    // A default is a value like any other by the time it is checked.
    required: Object.keys(settings),
    additionalProperties: false,
    properties,
  } as const;
}

/** The values as far as they can be read; the schema judges them. @returns also what is wrong with their variable. */
export function readOwn(
  settings: OwnSettings,
  env: Environment,
): { readonly own: Readonly<Record<string, unknown>>; readonly failures: readonly Failure[] } {
  const { given, failures } = deployed(env['TANDEM_OWN_SETTINGS']);
  const own: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const text = [env[setting.env], given[setting.env]].find((one) => one !== undefined && one !== '');
    const value = text === undefined ? setting.default : valueOf(setting, text);
    if (value !== undefined) own[name] = value;
  }
  return { own, failures };
}

function deployed(text: string | undefined): { given: Environment; failures: readonly Failure[] } {
  if (text === undefined || text === '') return { given: {}, failures: [] };
  try {
    const given: unknown = JSON.parse(text);
    const isMap = typeof given === 'object' && given !== null && !Array.isArray(given);
    if (isMap && Object.values(given).every((value) => typeof value === 'string')) {
      return { given: given as Environment, failures: [] };
    }
  } catch {
    // Reported below.
  }
  const detail = 'must be a JSON object of texts: it is written by the service definition';
  return { given: {}, failures: [{ pointer: '/ownSettings', rule: 'json', detail }] };
}

/** What cannot be read stays a text, for the schema to refuse. */
function valueOf({ type }: OwnSetting, text: string): unknown {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'integer':
    case 'number':
      return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
    case 'array':
      return text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
  }
}
