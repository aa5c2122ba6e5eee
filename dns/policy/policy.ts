/** Reads a policy file. What is returned has every default filled in and breaks no rule; otherwise all mistakes are named. */
import fs from 'node:fs';
import path from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { isMap, isPair, LineCounter, parseDocument, type Document } from 'yaml';
import { PolicyError, TrafficError, type PolicyMistake } from '../errors.ts';
import type { Alias, RecordType, RoutedType, Strategy } from '../model.ts';
import { rulesBroken } from './rules.ts';

/** Just one of them. */
export interface Endpoint {
  readonly cname?: string;
  readonly addresses?: readonly string[];
  readonly alias?: Alias;
}

export interface CheckSettings {
  readonly path?: string;
  readonly intervalSeconds?: number;
  readonly failureThreshold?: number;
}

export interface SiteSettings {
  readonly url?: string;
  readonly endpoint?: Endpoint;
  readonly region?: string;
  readonly weight?: number;
  readonly continents?: readonly string[];
  readonly countries?: readonly string[];
  readonly default?: boolean;
}

export interface SiteUse extends SiteSettings {
  readonly site: string;
  readonly healthCheck?: CheckSettings | false;
}

export interface NamePolicy {
  readonly name: string;
  readonly type?: RoutedType;
  readonly strategy: Strategy;
  readonly ttlSeconds?: number;
  readonly edge?: boolean;
  readonly healthCheck?: CheckSettings | false;
  readonly sites: readonly (string | SiteUse)[];
}

export interface RecordPolicy {
  readonly name: string;
  readonly type: RecordType;
  readonly ttlSeconds?: number;
  readonly values?: readonly string[];
  readonly alias?: Alias;
  readonly edge?: boolean;
}

export interface Gates {
  readonly errorPercentMax: number;
  readonly p99MsMax: number;
  readonly replicationLagMsMax: number;
  readonly safeTimeBehindMsMax: number;
  readonly exposedKeysMax: number;
}

export interface ShiftSettings {
  readonly stepPercent: number;
  readonly holdSeconds: number;
  readonly sampleSeconds: number;
  readonly requestsPerSample: number;
  readonly gates: Gates;
}

export type ProviderName = 'cloudflare' | 'local' | 'route53';

/** policy.schema.json with its defaults. */
export interface Policy {
  readonly zone: string;
  readonly provider: ProviderName;
  readonly zoneId?: string;
  readonly unmanaged?: readonly string[];
  readonly ttlSeconds: number;
  readonly healthCheck: CheckSettings | false;
  readonly sites: Readonly<Record<string, SiteSettings>>;
  readonly names: readonly NamePolicy[];
  readonly records: readonly RecordPolicy[];
  readonly shift: ShiftSettings;
  readonly safety: { readonly changedPercentMax: number };
}

const SCHEMA = path.join(import.meta.dirname, '..', 'policy.schema.json');
let validator: ValidateFunction | undefined;

/** @throws PolicyError naming every mistake; TrafficError when there is no such file. */
export function readPolicy(file: string): Policy {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new TrafficError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return parsePolicy(text, file);
}

/** @throws PolicyError */
export function parsePolicy(text: string, file: string): Policy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new PolicyError(
      file,
      document.errors.map((error) => ({
        line: error.linePos?.[0].line ?? 1,
        pointer: '',
        rule: 'yaml',
        detail: error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? '',
      })),
    );
  }
  const value: unknown = document.toJS();
  const mistakes = [...againstSchema(value), ...rulesBroken(value)];
  if (mistakes.length === 0) return value as Policy;
  throw new PolicyError(
    file,
    mistakes
      .map((mistake): PolicyMistake => ({ line: lineOf(document, lines, mistake.pointer), ...mistake }))
      .sort((a, b) => a.line - b.line),
  );
}

/** Fills defaults into the value. */
function againstSchema(value: unknown): Omit<PolicyMistake, 'line'>[] {
  validator ??= compile();
  if (validator(value)) return [];
  const found = (validator.errors ?? []).filter(({ keyword }) => keyword !== 'if' && keyword !== 'anyOf');
  return found.map((error) => ({
    pointer: pointerOf(error),
    rule: error.keyword,
    detail: explain(error),
  }));
}

function compile(): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strictTypes: false, strictSchema: true });
  formats.default(ajv, ['ipv4', 'ipv6']);
  return ajv.compile(JSON.parse(fs.readFileSync(SCHEMA, 'utf8')) as object);
}

/** A property too many, or a bad key, is a mistake of that property. */
function pointerOf({ instancePath, params }: ErrorObject): string {
  const { additionalProperty, propertyName } = params as Record<string, string | undefined>;
  const own = additionalProperty ?? propertyName;
  return own === undefined
    ? instancePath
    : `${instancePath}/${own.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function explain({ keyword, message, params }: ErrorObject): string {
  const { allowedValues, allowedValue } = params as { allowedValues?: string[]; allowedValue?: unknown };
  if (keyword === 'additionalProperties') return 'there is no such setting';
  if (allowedValues !== undefined) return `must be one of ${allowedValues.join(', ')}`;
  if (keyword === 'const') return `must be ${String(allowedValue)} or an object`;
  if (keyword === 'oneOf') return 'needs either values or alias';
  if (keyword === 'propertyNames') return 'is not a name for a site';
  return message ?? keyword;
}

/** Of the node itself or, when it is missing, of the nearest one around it; of the key where there is one. */
function lineOf(document: Document, lines: LineCounter, pointer: string): number {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  for (; parts.length > 0; parts.pop()) {
    const parent = document.getIn(parts.slice(0, -1), true);
    const last = parts.at(-1);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && String(item.key) === last)
      : undefined;
    const node = (pair?.key ?? document.getIn(parts, true)) as
      { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
