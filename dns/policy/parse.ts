/** Reads YAML against a JSON schema and rules of our own. Either all is well, or every mistake is named with its line. */
import fs from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { type Document, isAlias, isCollection, isMap, isPair, isSeq, LineCounter, parseDocument } from 'yaml';
import { nearest } from '@tandem-clouds/command-line/nearest';
import { PolicyError, type PolicyMistake, TrafficError } from '../errors.ts';
import { aliasMistakes } from './aliases.ts';
import { escaped, partsOf } from './json-pointer.ts';

/** A mistake whose line is still to be found. */
export type Mistake = Omit<PolicyMistake, 'line'>;

export interface Checks {
  /** Fills defaults into the value. */
  readonly valid: () => ValidateFunction;
  /** What a schema cannot say. Given whatever the file held. */
  readonly rules: (value: unknown) => readonly Mistake[];
  /** In better words than the schema's. */
  readonly explain?: (error: ErrorObject) => string | undefined;
}

/** @throws TrafficError when there is no such file. */
export function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new TrafficError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Compiled when it is first needed, and once. */
export function validatorOf(schema: object): () => ValidateFunction {
  let validator: ValidateFunction | undefined;
  return () => {
    if (validator === undefined) {
      const ajv = new Ajv({
        allErrors: true,
        useDefaults: true,
        strictTypes: false,
        strictSchema: true,
        // The schema around a mistake knows what could have been meant.
        verbose: true,
      });
      formats.default(ajv, ['ipv4', 'ipv6']);
      validator = ajv.compile(schema);
    }
    return validator;
  };
}

/** @throws PolicyError */
export function parseChecked(text: string, file: string, checks: Checks): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const unreadable = [...document.errors, ...aliasMistakes(document, lines)];
  if (unreadable.length > 0) {
    throw new PolicyError(
      file,
      unreadable.map((error) => ({
        line: error.linePos?.[0].line ?? 1,
        pointer: '',
        rule: 'yaml',
        detail: withHint(error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? ''),
      })),
    );
  }
  // Their number is bounded by the size that they make, in aliasMistakes.
  const value: unknown = document.toJS({ maxAliasCount: -1 });
  const mistakes = mistakesIn(value, checks);
  if (mistakes.length === 0) return value;
  throw new PolicyError(
    file,
    mistakes
      .map((mistake): PolicyMistake => ({ line: lineOf(document, lines, mistake.pointer), ...mistake }))
      .sort((a, b) => a.line - b.line),
  );
}

/** Everything that is wrong with a value; fills the schema's defaults into it. */
export function mistakesIn(value: unknown, { valid, rules, explain }: Checks): readonly Mistake[] {
  const own = (error: ErrorObject): string => explain?.(error) ?? explained(error);
  return [...againstSchema(value, valid(), own), ...rules(value)];
}

function againstSchema(
  value: unknown,
  valid: ValidateFunction,
  explain: (error: ErrorObject) => string,
): Mistake[] {
  if (valid(value)) return [];
  const found = (valid.errors ?? []).filter(({ keyword }) => keyword !== 'if' && keyword !== 'anyOf');
  return found.map((error) => {
    const hint = hintFor(error);
    return {
      pointer: pointerOf(error),
      rule: error.keyword,
      detail: explain(error),
      ...(hint !== undefined && { hint }),
    };
  });
}

/** A property too many, or a bad key, is a mistake of that property. */
function pointerOf({ instancePath, params }: ErrorObject): string {
  const { additionalProperty, propertyName } = params as Record<string, string | undefined>;
  const own = additionalProperty ?? propertyName;
  return own === undefined ? instancePath : `${instancePath}/${escaped(own)}`;
}

function explained({ keyword, message, params, data }: ErrorObject): string {
  const { allowedValues } = params as { allowedValues?: string[] };
  if (keyword === 'additionalProperties') return 'there is no such setting';
  if (allowedValues !== undefined) return `must be one of ${allowedValues.join(', ')}`;
  if (keyword === 'pattern' && typeof data === 'string') return `'${data}' ${message ?? 'has another form'}`;
  return message ?? keyword;
}

/** What would be right, as far as the schema knows. */
function hintFor({ keyword, params, parentSchema, data }: ErrorObject): string | undefined {
  const { allowedValues, additionalProperty: added } = params as {
    allowedValues?: string[];
    additionalProperty?: string;
  };
  const { properties = {}, description } = (parentSchema ?? {}) as {
    properties?: object;
    description?: string;
  };
  if (keyword === 'additionalProperties') {
    const known = Object.keys(properties);
    const guess = nearest(added ?? '', known);
    return guess === undefined ? `there are ${known.join(', ')}` : `did you mean ${guess}?`;
  }
  if (allowedValues !== undefined) {
    const guess = typeof data === 'string' ? nearest(data, allowedValues) : undefined;
    return guess === undefined ? undefined : `did you mean ${guess}?`;
  }
  return keyword === 'pattern' || keyword === 'type' ? description : undefined;
}

/** What a person probably wanted, where YAML's own words do not say so. */
function withHint(message: string): string {
  if (/^(?:Unresolved alias|Alias)/i.test(message))
    return `${message}; a text that begins with * is in quotes`;
  return message;
}

/** Of the node itself or, when it is missing, of the nearest one around it; of the key where there is one. */
function lineOf(document: Document, lines: LineCounter, pointer: string): number {
  const parts = partsOf(pointer);
  for (; parts.length > 0; parts.pop()) {
    const parent = nodeAt(document, parts.slice(0, -1));
    const last = parts.at(-1);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && String(item.key) === last)
      : undefined;
    const node = (pair?.key ?? nodeAt(document, parts)) as { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** What is at a path, through aliases; undefined when only a merge key brings it there. */
function nodeAt(document: Document, parts: readonly string[]): unknown {
  let node: unknown = document.contents;
  for (const part of parts) {
    const at = isAlias(node) ? node.resolve(document) : node;
    node = isCollection(at) ? at.get(isSeq(at) ? Number(part) : part, true) : undefined;
  }
  return isAlias(node) ? node.resolve(document) : node;
}
