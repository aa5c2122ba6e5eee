/**
 * Where clients are: a table from subnets to places, and the latencies between places. A real service has a
 * geolocation database in its stead.
 */
import net from 'node:net';
import { addressBytes } from './message-writer.ts';

/** What is known of a client. */
export interface ClientLocation {
  /** As targets name theirs: `us-east-1`. */
  readonly region?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** `EU`, as Route 53 names them. */
  readonly continent?: string;
}

/** Milliseconds from a client's region to a target's. */
export type Latencies = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Subnet extends ClientLocation {
  /** `192.0.2.0/24` */
  readonly subnet: string;
}

export interface LocationTable {
  readonly subnets: readonly Subnet[];
  readonly latencyMs: Latencies;
}

/** A location, and for how much of the address it holds: the scope of RFC 7871. */
export interface Located {
  readonly location: ClientLocation | undefined;
  readonly scopeBits: number;
}

/** Finds the longest prefix that holds an address. */
export class Locator {
  readonly #tables = { 4: new Map<number, Map<string, Subnet>>(), 6: new Map<number, Map<string, Subnet>>() };
  readonly #lengths: Readonly<Record<4 | 6, readonly number[]>>;

  /** @throws RangeError naming a subnet that is none. */
  constructor(subnets: readonly Subnet[]) {
    for (const subnet of subnets) this.#add(subnet);
    const longestFirst = (family: 4 | 6): number[] => [...this.#tables[family].keys()].sort((a, b) => b - a);
    this.#lengths = { 4: longestFirst(4), 6: longestFirst(6) };
  }

  /** @param bits How many bits of the address are known. */
  locate(family: 4 | 6, address: Buffer, bits: number): Located {
    for (const length of this.#lengths[family]) {
      if (length > bits) continue;
      const found = this.#tables[family].get(length)?.get(prefixOf(address, length));
      if (found !== undefined) return { location: found, scopeBits: length };
    }
    return { location: undefined, scopeBits: bits };
  }

  #add(subnet: Subnet): void {
    const [, address = '', digits = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(subnet.subnet) ?? [];
    const family = net.isIPv4(address) ? 4 : 6;
    const length = Number(digits);
    if (net.isIP(address) === 0 || length > (family === 4 ? 32 : 128)) {
      throw new RangeError(`'${subnet.subnet}' is not a subnet`);
    }
    const table = this.#tables[family].get(length) ?? new Map<string, Subnet>();
    this.#tables[family].set(length, table.set(prefixOf(addressBytes(address), length), subnet));
  }
}

/** The leading bits of an address, as a key. */
function prefixOf(address: Buffer, bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  const head = address.toString('latin1', 0, whole);
  return rest === 0 ? head : head + String.fromCharCode((address[whole] ?? 0) & (0xff00 >> rest) & 0xff);
}
