/**
 * The endpoint of Azure Monitor's Logs Ingestion API, on loopback: rules with their streams and columns, tokens, limits.
 * Takes what the service takes, and drops what it drops: a column that the stream does not declare, a value of another type.
 *
 * @see https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 * @see https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#logs-ingestion-api
 */
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';

const BODY_BYTES_MAX = 1_048_576;
/** Of a value of a column; the rest of it is cut. */
const VALUE_BYTES_MAX = 65_536;
const API_VERSIONS = ['2021-11-01-preview', '2023-01-01'];
const DAY_MS = 86_400_000;
/** What is older, or in the future, gets the time of its arrival. */
const OLDEST_MS = 2 * DAY_MS;
const NEWEST_MS = DAY_MS;

export type ColumnType = 'string' | 'datetime' | 'dynamic' | 'int' | 'long' | 'real' | 'boolean';

export interface LogsIngestionOptions {
  /** Immutable id → stream → column → type. */
  readonly rules: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, ColumnType>>>>>>;
  /** What the identities that may write to these rules present. */
  readonly tokens: readonly string[];
  /** Calls of a rule in a minute; the service's is 12,000. */
  readonly callsPerMinute?: number;
  readonly now?: () => number;
}

export type Row = Readonly<Record<string, unknown>>;

export interface LogsIngestionServer extends HttpEmulator {
  /** What arrived in the tables, in order. */
  readonly rows: readonly Row[];
  /** Columns that were sent and are in no stream, which nobody hears of at the service. */
  readonly undeclared: ReadonlySet<string>;
}

export async function startLogsIngestion({
  rules,
  tokens,
  callsPerMinute = 12_000,
  now = Date.now,
}: LogsIngestionOptions): Promise<LogsIngestionServer> {
  const rows: Row[] = [];
  const undeclared = new Set<string>();
  const calls = new Map<string, number[]>();
  const server = await startHttpEmulator((request) => {
    const refused = refusal(request);
    if (refused !== undefined) return refused;
    const [, rule = '', stream = ''] = pathOf(request) ?? [];
    const columns = rules[rule]?.[stream];
    if (columns === undefined) {
      return rules[rule] === undefined
        ? error(404, 'NotFound', `Data collection rule with immutable Id '${rule}' not found.`)
        : error(400, 'InvalidStream', `Stream '${stream}' is not declared by the data collection rule.`);
    }
    const recent = (calls.get(rule) ?? []).filter((atMs) => atMs > now() - 60_000);
    if (recent.length >= callsPerMinute) {
      return { ...error(429, 'TooManyRequests', 'Too many requests.'), headers: { 'retry-after': '5' } };
    }
    calls.set(rule, [...recent, now()]);
    const sent = arrayIn(request.body);
    if (sent === undefined)
      return error(400, 'InvalidPayload', 'The body has to be a JSON array of objects.');
    for (const row of sent) rows.push(arrived(row, columns, { now, undeclared }));
    return { status: 204, body: '' };
  });
  const refusal = (request: IncomingRequest): Response | undefined => {
    const { method, query, headers, body } = request;
    if (pathOf(request) === null || method !== 'POST')
      return error(404, 'NotFound', `no such resource: ${method} ${request.path}`);
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) return error(401, 'AuthenticationFailed', 'A bearer token is needed.');
    if (!tokens.includes(token)) {
      const message =
        'The authentication token provided does not have access to ingest data for the data collection rule.';
      return error(403, 'OperationFailed', message);
    }
    if (!API_VERSIONS.includes(query.get('api-version') ?? ''))
      return error(400, 'InvalidApiVersion', 'The api-version is not supported.');
    if (!(headers['content-type'] ?? '').startsWith('application/json'))
      return error(415, 'UnsupportedMediaType', 'The content type is application/json.');
    const bytes = Buffer.byteLength(body);
    return bytes > BODY_BYTES_MAX
      ? error(
          413,
          'ContentLengthLimitExceeded',
          `Maximum allowed content length: ${BODY_BYTES_MAX} bytes (1 MB). Provided content length: ${bytes} bytes.`,
        )
      : undefined;
  };
  return { ...server, rows, undeclared };
}

const PATH = /^\/dataCollectionRules\/(dcr-[0-9a-f]{32})\/streams\/([\w-]+)$/;
const pathOf = ({ path }: IncomingRequest): RegExpExecArray | null => PATH.exec(path);

function error(status: number, code: string, message: string): Response {
  return {
    status,
    body: JSON.stringify({ error: { code, message } }),
    headers: { 'content-type': 'application/json' },
  };
}

function arrayIn(body: string): readonly Row[] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isRow = (row: unknown): boolean => typeof row === 'object' && row !== null && !Array.isArray(row);
    return Array.isArray(value) && value.every(isRow) ? (value as Row[]) : undefined;
  } catch {
    return undefined;
  }
}

function arrived(
  row: Row,
  columns: Readonly<Record<string, ColumnType>>,
  { now, undeclared }: { readonly now: () => number; readonly undeclared: Set<string> },
): Row {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    const type = Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (type === undefined) undeclared.add(name);
    else if (isOf(type, value)) kept[name] = cut(value);
  }
  const atMs = Date.parse(String(kept['TimeGenerated']));
  const isUsable = atMs > now() - OLDEST_MS && atMs < now() + NEWEST_MS;
  return isUsable ? kept : { ...kept, TimeGenerated: new Date(now()).toISOString() };
}

function isOf(type: ColumnType, value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'datetime':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value));
    case 'dynamic':
      return true;
    case 'int':
    case 'long':
      return Number.isInteger(value);
    case 'real':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
  }
}

function cut(value: unknown): unknown {
  if (typeof value !== 'string' || Buffer.byteLength(value) <= VALUE_BYTES_MAX) return value;
  return Buffer.from(value).subarray(0, VALUE_BYTES_MAX).toString();
}
