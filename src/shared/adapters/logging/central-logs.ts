/**
 * Sends the lines of a site's log to a workspace of Log Analytics by the Logs Ingestion API, beside standard output: the same
 * sender as by OTLP, with other rows. A line that was not answered is sent again, and has the same `Uid`.
 * @see https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 */
import { centralLogsBytesMax, logBounds } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import type { Logger, LogLine } from '../../ports/telemetry.ts';
import { version } from '../../version.ts';
import { fetchClient } from '../fetch-client.ts';
import { OtlpSender } from '../tracing/otlp-sender.ts';
import { resourceOf } from '../tracing/resource.ts';
import { sendingBeside } from '../tracing/sending-beside.ts';
import type { SiteLogs } from './site-logs.ts';

/** @see https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview#authentication */
export const CENTRAL_LOGS_AUDIENCE = 'https://monitor.azure.com';
/** Of the rule (infra/azure/parts/central-logs.json). */
export const CENTRAL_LOGS_STREAM = 'Custom-Tandem_CL';
const API_VERSION = '2023-01-01';
/** Of what is longer than a line may be, its message is cut to this. */
const CUT_CHARS = 1_024;

export interface CentralLogsOptions {
  readonly config: Config;
  readonly cloud: 'aws' | 'azure';
  /** Gets a warning when they are not taken. */
  readonly logger: Logger;
  readonly token: () => Promise<string>;
  readonly client?: HttpClient;
}

export function centralLogs({
  config,
  cloud,
  logger,
  token,
  client = fetchClient,
}: CentralLogsOptions): SiteLogs {
  const { centralLogs: place } = config;
  if (place === undefined) return { line: undefined, tracing: (tracing) => tracing };
  const process = String(resourceOf(config, cloud)['service.instance.id']);
  const from = { Site: config.site, Cloud: cloud, Region: config.region, Version: version };
  const sender = new OtlpSender<string>({
    url: place.endpoint,
    path: `/dataCollectionRules/${place.rule}/streams/${CENTRAL_LOGS_STREAM}?api-version=${API_VERSION}`,
    headers: {},
    ...logBounds,
    signal: 'central logs',
    encode: (rows) => `[${rows.join(',')}]`,
    sendBytesMax: centralLogsBytesMax,
    bytesOf: (row) => Buffer.byteLength(row) + 1,
    token,
    client,
    logger,
    elapsed: () => performance.now(),
  });
  let lines = 0;
  return {
    line: (line) => {
      lines += 1;
      sender.add([rowOf(line, { ...from, Uid: `${process}-${lines}` })]);
    },
    tracing: (tracing) => sendingBeside(tracing, (withinMs) => sender.flush(withinMs)),
  };
}

/** A row of the stream, at most `lineCharsMax` long. */
function rowOf(
  { atMs, level, message, fields = {}, span }: LogLine,
  from: Readonly<Record<string, string>>,
): string {
  const row = {
    TimeGenerated: new Date(atMs).toISOString(),
    Level: level,
    ...from,
    ...(span !== undefined && { TraceId: span.traceId, SpanId: span.spanId }),
  };
  const whole = JSON.stringify({ ...row, Message: message, Fields: fields });
  return whole.length <= logBounds.lineCharsMax
    ? whole
    : JSON.stringify({ ...row, Message: message.slice(0, CUT_CHARS) });
}
