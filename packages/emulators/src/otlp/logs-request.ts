/**
 * The records of logs that OTLP sends as JSON, read with tolerance: what is not understood is left out.
 * @see https://opentelemetry.io/docs/specs/otel/logs/data-model/
 */
import { type Attribute, attributesOf } from './attributes.ts';
import { msOf } from './export-request.ts';
import type { LogLine } from './log-line.ts';

const ID = /^[0-9a-f]+$/;
const UID = 'log.record.uid';

interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
}
interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue;
}
interface OtlpRecord {
  readonly timeUnixNano?: string | number;
  readonly observedTimeUnixNano?: string | number;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: AnyValue;
  readonly attributes?: readonly KeyValue[];
  readonly traceId?: string;
  readonly spanId?: string;
}
interface ExportRequest {
  readonly resourceLogs?: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeLogs?: readonly { readonly logRecords?: readonly OtlpRecord[] }[];
  }[];
}

/** @returns Each with the id by which one that comes twice is one. @throws TypeError when it is no export request */
export function linesIn(request: unknown): { readonly uid: string | undefined; readonly line: LogLine }[] {
  const { resourceLogs } = (request ?? {}) as ExportRequest;
  if (!Array.isArray(resourceLogs)) throw new TypeError('resourceLogs: a list is needed');
  return (resourceLogs as NonNullable<ExportRequest['resourceLogs']>).flatMap(
    ({ resource, scopeLogs = [] }) => {
      const named = attributesOf(resource?.attributes);
      const site = String(named['tandem.site'] ?? named['service.name'] ?? 'unknown');
      return scopeLogs.flatMap(({ logRecords = [] }) => logRecords.map((record) => read(record, site)));
    },
  );
}

function read(record: OtlpRecord, site: string): { uid: string | undefined; line: LogLine } {
  const { traceId = '', spanId = '', severityNumber = 0, severityText = '', body = {} } = record;
  const { [UID]: uid, ...attributes } = objectOf(record.attributes);
  const message = valueOf(body);
  return {
    uid: typeof uid === 'string' ? uid : undefined,
    line: {
      atMs: msOf(record.timeUnixNano) || msOf(record.observedTimeUnixNano),
      severity: Number.isInteger(severityNumber) ? severityNumber : 0,
      level: severityText,
      site,
      message: typeof message === 'string' ? message : JSON.stringify(message),
      ...(ID.test(traceId) && { traceId }),
      ...(ID.test(spanId) && { spanId }),
      attributes,
    },
  };
}

function objectOf(list: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(
    list.flatMap(({ key, value = {} }) => (key === undefined ? [] : [[key, valueOf(value)]])),
  );
}

/** Nothing is null. */
function valueOf({
  stringValue,
  intValue,
  doubleValue,
  boolValue,
  arrayValue,
  kvlistValue,
}: AnyValue): unknown {
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(valueOf);
  if (kvlistValue !== undefined) return objectOf(kvlistValue.values);
  return stringValue ?? doubleValue ?? boolValue ?? (intValue === undefined ? null : Number(intValue));
}
