/** Ranges that a request weighs, such as `Accept` and `Accept-Language` (RFC 9110, section 12.4.2). */

export interface Weighed {
  /** Lower case: `text/html`, `de-at`. */
  readonly range: string;
  /** From 0, which is "not this one", to 1. */
  readonly quality: number;
}

/** In the order of the header. A weight that is none counts as 0. */
export function weighedRanges(header: string): readonly Weighed[] {
  return header
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [range = '', ...parameters] = part.split(';').map((each) => each.trim());
      return { range, quality: weightIn(parameters) };
    });
}

function weightIn(parameters: readonly string[]): number {
  const weight = parameters.find((one) => one.startsWith('q='))?.slice(2);
  if (weight === undefined) return 1;
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
}
