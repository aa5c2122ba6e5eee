/**
 * What sends the lines of a site's log to the collector that it is configured with (docs/logs.md), beside standard output,
 * where they all are whatever becomes of it.
 */
import { logBounds } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Logger, LogLine } from '../../ports/telemetry.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { version } from '../../version.ts';
import { fetchClient } from '../fetch-client.ts';
import { OtlpSender } from '../tracing/otlp-sender.ts';
import { resourceOf } from '../tracing/resource.ts';
import { sendingBeside } from '../tracing/sending-beside.ts';
import { otlpLogRecord, otlpLogsBody } from './otlp-logs.ts';

export interface SiteLogs {
  /** Takes a line, to be sent with the invocation; undefined: none is sent. */
  readonly line: ((line: LogLine) => void) | undefined;
  /** What the platform calls: the lines there are sent beside the spans, before its result is given. */
  tracing(tracing: Tracing): Tracing;
}

/** @param logger Gets a warning when they are not taken; one of its lines may be the next to be sent. */
export function siteLogs(config: Config, cloud: 'aws' | 'azure', logger: Logger): SiteLogs {
  const { logs } = config;
  if (logs === undefined) return { line: undefined, tracing: (tracing) => tracing };
  const resource = resourceOf(config, cloud);
  const sender = new OtlpSender<string>({
    ...logs,
    ...logBounds,
    signal: 'logs',
    encode: (records) => otlpLogsBody(resource, { name: 'tandem', version }, records),
    client: fetchClient,
    logger,
    elapsed: () => performance.now(),
  });
  const process = String(resource['service.instance.id']);
  let lines = 0;
  return {
    line: (line) => {
      lines += 1;
      sender.add([otlpLogRecord(line, `${process}-${lines}`)]);
    },
    tracing: (tracing) => sendingBeside(tracing, (withinMs) => sender.flush(withinMs)),
  };
}
