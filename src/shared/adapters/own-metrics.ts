/**
 * The checks of metrics of one's own, and the bound on how many there are, for both clouds.
 *
 * Invariant: one process makes at most `ownSeriesMax` sets of a name and its dimension values. What comes then is measured
 * under its name alone, and the log says so once.
 */
import { ownDimensionCharsMax, ownDimensionsMax, ownSeriesMax } from '../bounds.ts';
import type { Dimensions, OwnMetrics } from '../ports/telemetry.ts';
import { metricLine, type MetricsOptions } from './metric-line.ts';

const NAME = /^[A-Z][A-Za-z0-9]{2,63}$/;
const DIMENSION = /^[a-z][A-Za-z0-9]{1,31}$/;
/** Members of the line that are not the caller's. */
const TAKEN = new Set(['time', 'level', 'site', 'message', 'peer', 'requestId']);

/** Not that of the product's measurements: its alarms look for those, by names that a handler might choose too. */
const MESSAGE = 'own metric';

export interface OwnMeasurement {
  readonly name: string;
  readonly value: number;
  readonly dimensions: Dimensions;
}

/** @param write Makes a line of a measurement that was checked; the object is what both clouds' lines have. */
export function ownMetrics(
  options: MetricsOptions,
  write: (measurement: OwnMeasurement, line: Readonly<Record<string, unknown>>) => void,
): OwnMetrics {
  const series = new Set<string>();
  let warned = false;
  const isKnown = (name: string, dimensions: Dimensions): boolean => {
    const key = JSON.stringify([name, Object.entries(dimensions).sort()]);
    if (series.has(key)) return true;
    if (series.size >= ownSeriesMax) return false;
    series.add(key);
    return true;
  };
  return {
    record(name, value = 1, dimensions = {}) {
      check(name, value, dimensions);
      const kept = isKnown(name, dimensions) ? dimensions : {};
      if (kept !== dimensions && !warned) {
        warned = true;
        const line = { ...metricLine(options, {}, undefined), level: 'warn', metric: name };
        const message = `more than ${ownSeriesMax} metrics with dimensions: the rest is under its name alone`;
        options.write(`${JSON.stringify({ ...line, message })}\n`);
      }
      const line = { ...metricLine(options, {}, undefined), message: MESSAGE, ...kept, [name]: value };
      write({ name, value, dimensions: kept }, line);
    },
  };
}

/** @throws RangeError */
function check(name: string, value: number, dimensions: Dimensions): void {
  const mistakes = [
    ...(NAME.test(name) ? [] : [`the name '${name}' is not upper camel case of 3 to 64 characters`]),
    ...(Number.isFinite(value) ? [] : [`the value of ${name} is ${value}`]),
    ...(Object.keys(dimensions).length <= ownDimensionsMax
      ? []
      : [`${name} has more than ${ownDimensionsMax} dimensions`]),
    ...Object.entries(dimensions).flatMap(([dimension, text]) => [
      ...(DIMENSION.test(dimension) && !TAKEN.has(dimension)
        ? []
        : [`the dimension '${dimension}' is not lower camel case of 2 to 32 characters, or is taken`]),
      ...(text.length >= 1 && text.length <= ownDimensionCharsMax
        ? []
        : [`${dimension} has a value of ${text.length} characters; 1 to ${ownDimensionCharsMax} are taken`]),
    ]),
  ];
  if (mistakes.length > 0) throw new RangeError(`metric: ${mistakes.join('; ')}`);
}
