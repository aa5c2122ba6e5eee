/**
 * Prometheus' text format, and the names that it has for what OpenTelemetry measures.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
 */

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** What is put behind the name of the family: `_bucket`; absent: nothing. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels: Labels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly samples: readonly Sample[];
}

/** The families by name. Each is written once and whole, as the format asks for. */
export function toText(families: readonly Family[]): string {
  return [...families]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, help, type, samples }) => [
      ...(help === '' ? [] : [`# HELP ${name} ${escaped(help)}`]),
      `# TYPE ${name} ${type}`,
      ...samples.map(
        ({ suffix = '', labels, value }) => `${name}${suffix}${labelText(labels)} ${number(value)}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

/** Of the units of UCUM those that have a word in Prometheus. */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  kBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};

/** `http.server.request.duration` in `s` → `http_server_request_duration_seconds`; of a counter it ends in `_total`. */
export function prometheusName(name: string, unit: string, type: Family['type']): string {
  const words = name
    .replaceAll(/[^a-zA-Z0-9:]/g, '_')
    .replaceAll(/_+/g, '_')
    .replace(/_(?:total|ratio)$/, (end) => (end === '_total' && type === 'counter' ? '' : end));
  const ending = unit === '1' && type === 'gauge' ? 'ratio' : unitWord(unit);
  const withUnit = ending === '' || words.endsWith(`_${ending}`) ? words : `${words}_${ending}`;
  const whole = type === 'counter' ? `${withUnit}_total` : withUnit;
  return /^[0-9]/.test(whole) ? `_${whole}` : whole;
}

/** What is in braces says what is counted, and is no unit. */
function unitWord(unit: string): string {
  const plain = unit.replaceAll(/\{[^}]*\}/g, '').trim();
  if (plain === '' || plain === '1') return '';
  const [over = '', per] = plain.split('/', 2);
  const word = UNITS[over] ?? over;
  const joined = per === undefined ? word : `${word}_per_${(UNITS[per] ?? per).replace(/s$/, '')}`;
  return joined.replaceAll(/[^a-zA-Z0-9]/g, '_').replaceAll(/^_+|_+$/g, '');
}

/** Attributes as labels. Those that come to one name are one label, in the order of their names. */
export function labelsOf(attributes: Readonly<Record<string, string | number | boolean>>): Labels {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = labelName(key);
    labels[name] = Object.hasOwn(labels, name) ? `${labels[name] ?? ''};${String(value)}` : String(value);
  }
  return labels;
}

function labelName(key: string): string {
  const name = key.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  // Two underscores are Prometheus' own, and `le` that of a bucket.
  if (name.startsWith('__') || name === 'le') return `key${name.startsWith('_') ? '' : '_'}${name}`;
  return /^[a-zA-Z_]/.test(name) ? name : `key_${name}`;
}
