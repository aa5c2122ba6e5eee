/** Checks a response against openapi.yaml: path, method, status, media type, required headers and body. */
import fs from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { decodePath, normalizePath } from '../../src/shared/request-path.ts';

interface ResponseObject {
  readonly headers?: Readonly<Record<string, { readonly $ref?: string }>>;
  readonly content?: Readonly<
    Record<string, { readonly schema: { readonly $ref: string } | { readonly type: 'string' } }>
  >;
}
type Operation = Readonly<Record<'responses', Readonly<Record<string, ResponseObject>>>>;

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: object;
    readonly headers: Readonly<Record<string, { readonly required?: boolean }>>;
  };
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const PAGE = 'text/html';
/** What no path says because it holds everywhere. */
const EVERYWHERE = new Set([404, 405, 414, 431, 503]);

/** Everything in which a response breaks the contract; empty when it keeps it. */
export type Breaches = (method: string, pathname: string, response: HttpResponse) => string[];

/** By `openapi.yaml`. */
export const breaches: Breaches = (...exchange) => ownContract()(...exchange);

let own: Breaches | undefined;

function ownContract(): Breaches {
  const file = path.join(import.meta.dirname, '../../openapi.yaml');
  return (own ??= breachesOf(parse(fs.readFileSync(file, 'utf8')) as OpenApi));
}

/** By any contract. */
export function breachesOf(document: OpenApi): Breaches {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  return (method, pathname, response) => found({ document, ajv }, { method, pathname, response });
}

interface Contract {
  readonly document: OpenApi;
  readonly ajv: Ajv2020;
}

function found(
  { document, ajv }: Contract,
  { method, pathname, response }: { method: string; pathname: string; response: HttpResponse },
): string[] {
  const broken: string[] = [];
  for (const name of [
    'x-request-id',
    'x-tandem-site',
    'strict-transport-security',
    'x-content-type-options',
  ]) {
    if (response.headers[name] === undefined) broken.push(`header ${name} is missing`);
  }
  const operation = operationOf(document, method === 'HEAD' ? 'GET' : method, pathname);
  const described = operation?.responses[String(response.status)];
  const type = response.headers['content-type']?.split(';')[0] ?? '';
  if (described === undefined) {
    if (response.status === 204 && method === 'OPTIONS') return broken;
    if (!EVERYWHERE.has(response.status)) broken.push(`${response.status} is not in the contract`);
    return [
      ...broken,
      ...schemaErrors(ajv, 'Problem', { response, type, media: 'application/problem+json' }),
    ];
  }
  for (const [name, header] of Object.entries(described.headers ?? {})) {
    // One that is described in place may be missing.
    if (header.$ref === undefined || document.components.headers[name]?.required !== true) continue;
    if (response.headers[name.toLowerCase()] === undefined) broken.push(`header ${name} is missing`);
  }
  const [media, content] = Object.entries(described.content ?? {})[0] ?? [];
  if (media === undefined || content === undefined || method === 'HEAD') {
    if (response.text !== '') broken.push('the body is not empty');
    return broken;
  }
  // A page for people, which some answers have beside their JSON: any text will do.
  if (type === PAGE && described.content?.[PAGE] !== undefined)
    return response.text === '' ? [...broken, 'the page is empty'] : broken;
  const schema = '$ref' in content.schema ? (content.schema.$ref.split('/').at(-1) ?? '') : '';
  return [...broken, ...schemaErrors(ajv, schema, { response, type, media })];
}

function operationOf(document: OpenApi, method: string, pathname: string): Operation | undefined {
  const segments = normalizePath(decodePath(pathname.split('?')[0] ?? '')).split('/');
  const matching = Object.keys(document.paths).filter((template) => {
    const parts = template.split('/');
    return (
      parts.length === segments.length &&
      parts.every((part, i) => part.startsWith('{') || part === segments[i])
    );
  });
  const [exact] = matching.sort((a, b) => a.split('{').length - b.split('{').length);
  const operations = exact === undefined ? {} : (document.paths[exact] ?? {});
  return Object.hasOwn(operations, method.toLowerCase()) ? operations[method.toLowerCase()] : undefined;
}

function schemaErrors(
  ajv: Ajv2020,
  schema: string,
  { response: { text }, type, media }: { response: HttpResponse; type: string; media: string },
): string[] {
  if (type !== media) return [`content type ${type} instead of ${media}`];
  if (text === '' && media === 'application/problem+json') return [];
  const check = ajv.getSchema(`openapi#/components/schemas/${schema}`);
  if (check === undefined) return [`no schema ${schema}`];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return ['the body is not JSON'];
  }
  return check(value) === true ? [] : [ajv.errorsText(check.errors)];
}
