/**
 * A plausible estimate of request units, from the published rules of thumb: 1 RU to read 1 kB, about 5.5 RU to write
 * it, writes growing with size and with replaced index entries, queries from about 2.8 RU plus what they load. Reads
 * and queries of a strongly consistent account, which this one is, cost twice as much: they ask two replicas.
 * https://learn.microsoft.com/azure/cosmos-db/request-units
 * https://learn.microsoft.com/azure/cosmos-db/consistency-levels#consistency-levels-and-throughput
 */

const STRONG_READS = 2;

const KILOBYTE = 1024;

function kilobytes(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / KILOBYTE));
}

export function readCharge(bytes: number): number {
  return STRONG_READS * kilobytes(bytes);
}

/** @param replacedBytes Size of the version that the write replaces or deletes; 0 for a new item. */
export function writeCharge(bytes: number, replacedBytes = 0): number {
  const written = bytes === 0 ? 0 : 5.5 * kilobytes(bytes);
  const replaced = replacedBytes === 0 ? 0 : 5 * kilobytes(replacedBytes);
  return round(written + replaced);
}

/** @param loaded Items that the query looked at, after its index narrowed them. */
export function queryCharge(loaded: number, returnedBytes: number): number {
  return round(STRONG_READS * (2.8 + 0.04 * loaded + returnedBytes / (4 * KILOBYTE)));
}

/** What a request costs that finds nothing or is refused. */
export const REFUSED_CHARGE = 1;

function round(charge: number): number {
  return Math.round(charge * 100) / 100;
}
