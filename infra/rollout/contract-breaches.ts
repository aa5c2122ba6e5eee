/** Checks a response against openapi.yaml: path, method, status, media type, required headers and body. */
import fs from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { decodePath, normalizePath } from '../../src/shared/request-path.ts';

interface ResponseObject {
  readonly headers?: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>>;
}
type Operation = Readonly<Record<'responses', Readonly<Record<string, ResponseObject>>>>;

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: object;
    readonly headers: Readonly<Record<string, { readonly required?: boolean }>>;
  };
}

const document = parse(
  fs.readFileSync(path.join(import.meta.dirname, '../../openapi.yaml'), 'utf8'),
) as OpenApi;

const ajv = new Ajv2020({ allErrors: true, strict: false });
addFormats.default(ajv);
ajv.addSchema(document, 'openapi');

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What no path says because it holds everywhere. */
const EVERYWHERE = new Set([404, 405, 414, 431, 503]);

/** Everything in which a response breaks the contract; empty when it keeps it. */
export function breaches(method: string, pathname: string, response: HttpResponse): string[] {
  const found: string[] = [];
  for (const name of [
    'x-request-id',
    'x-tandem-site',
    'strict-transport-security',
    'x-content-type-options',
  ]) {
    if (response.headers[name] === undefined) found.push(`header ${name} is missing`);
  }
  const operation = operationOf(method === 'HEAD' ? 'GET' : method, pathname);
  const described = operation?.responses[String(response.status)];
  const type = response.headers['content-type']?.split(';')[0] ?? '';
  if (described === undefined) {
    if (response.status === 204 && method === 'OPTIONS') return found;
    if (!EVERYWHERE.has(response.status)) found.push(`${response.status} is not in the contract`);
    return [...found, ...schemaErrors('Problem', response, type, 'application/problem+json')];
  }
  for (const name of Object.keys(described.headers ?? {})) {
    if (document.components.headers[name]?.required !== true) continue;
    if (response.headers[name.toLowerCase()] === undefined) found.push(`header ${name} is missing`);
  }
  const [media, content] = Object.entries(described.content ?? {})[0] ?? [];
  if (media === undefined || content === undefined || method === 'HEAD') {
    if (response.text !== '') found.push('the body is not empty');
    return found;
  }
  const schema = content.schema.$ref.split('/').at(-1) ?? '';
  return [...found, ...schemaErrors(schema, response, type, media)];
}

function operationOf(method: string, pathname: string): Operation | undefined {
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

function schemaErrors(schema: string, { text }: HttpResponse, type: string, media: string): string[] {
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
