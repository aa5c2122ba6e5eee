/**
 * The names of a zone with their records: those of the document and those that the server makes for them.
 *
 * Invariant: a name that has names below it exists (RFC 8020).
 */
import type { RoutedRecord, Target, ZoneRecord } from '@tandem-clouds/zone/model';
import { type RecordData, type ResourceRecord, wireName } from './message-writer.ts';
import { parseValue } from './values.ts';
import { TYPE } from './wire.ts';
import { isWithin, madeNames, type Zone } from './zone.ts';

/** How long the records that the server makes by itself may be kept. */
const OWN_TTL_SECONDS = 3_600;
/** A new name shall be found soon by those who asked too early. */
const NEGATIVE_TTL_SECONDS = 10;

/** The records of one name and type. */
export interface RecordSet {
  /** One list for everybody, or one by target of `routed`. */
  readonly choices: readonly (readonly ResourceRecord[])[];
  /** Decides which choice it is. */
  readonly routed?: RoutedRecord;
}

export interface Node {
  readonly name: string;
  /** By type; empty for a name that exists only because of names below it. */
  readonly sets: Map<number, RecordSet>;
}

/** All nodes of a zone, by name in wire form. */
export type Nodes = ReadonlyMap<string, Node>;

/** The zone's SOA record, which also goes with every negative answer. */
export function soaOf(zone: string, serial: number): ResourceRecord {
  const data: RecordData = {
    type: 'SOA',
    mname: `ns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: serial % 2 ** 32,
    refreshSeconds: 3_600,
    retrySeconds: 600,
    expireSeconds: 604_800,
    minimumSeconds: NEGATIVE_TTL_SECONDS,
  };
  // In a negative answer the lesser of this TTL and the minimum counts (RFC 2308, section 3).
  return { name: zone, ttlSeconds: NEGATIVE_TTL_SECONDS, data };
}

/** @param serverAddress IPv4, where the zone's name server is said to be. */
export function makeNodes({ zone, records }: Zone, soa: ResourceRecord, serverAddress: string): Nodes {
  const builder = new Builder(zone);
  for (const record of records) builder.addRecord(record);
  for (const record of records) if (record.kind === 'routed') builder.addMade(record);
  builder.addOwn(soa, serverAddress);
  builder.addBetween();
  return builder.nodes;
}

class Builder {
  readonly nodes = new Map<string, Node>();
  readonly #zone: string;

  constructor(zone: string) {
    this.#zone = zone;
  }

  addRecord(record: ZoneRecord): void {
    const { name, type, ttlSeconds } = record;
    const recordsOf = (values: readonly string[], owner = name): ResourceRecord[] =>
      values.flatMap((value) => {
        const data = parseValue(type, value);
        return data === undefined ? [] : [{ name: owner, ttlSeconds, data }];
      });
    if (record.kind === 'plain') {
      this.#set(name, TYPE[type], { choices: [recordsOf(record.values)] });
      return;
    }
    const choices = record.targets.map(({ values }) => recordsOf(values));
    this.#set(name, TYPE[type], { choices, routed: record });
    for (const target of record.targets) {
      const { site } = madeNames(name, target);
      this.#set(site, TYPE[type], { choices: [recordsOf(target.values, site)] });
    }
  }

  /** The records that carry the port, which addresses cannot: of the targets that have one. */
  addMade(routed: RoutedRecord): void {
    const { name, type, ttlSeconds, targets } = routed;
    const owners = new Set(targets.flatMap((target) => Object.values(madeNames(name, target)) as string[]));
    for (const owner of owners) {
      const choices = (make: (target: Target) => RecordData | undefined): ResourceRecord[][] =>
        targets.map((target) => {
          const data = make(target);
          return data === undefined ? [] : [{ name: owner, ttlSeconds, data }];
        });
      const made: [number, ResourceRecord[][]][] = [
        [TYPE.SRV, choices((target) => serviceData(routed, target, owner))],
        [TYPE.SVCB, choices((target) => bindingData(routed, target, owner, 'http'))],
        [TYPE.HTTPS, choices((target) => bindingData(routed, target, owner, 'https'))],
      ];
      for (const [madeType, lists] of made) {
        // A name with A and AAAA has these once; and next to a CNAME there is nothing else.
        const taken = this.#node(owner).sets.has(madeType) || (owner === name && type === 'CNAME');
        if (!taken && lists.some((list) => list.length > 0))
          this.#set(owner, madeType, { choices: lists, routed });
      }
    }
  }

  addOwn(soa: ResourceRecord, serverAddress: string): void {
    const target = `ns.${this.#zone}`;
    const own = (name: string, data: RecordData): RecordSet => ({
      choices: [[{ name, ttlSeconds: OWN_TTL_SECONDS, data }]],
    });
    this.#set(this.#zone, TYPE.SOA, { choices: [[soa]] });
    this.#set(this.#zone, TYPE.NS, own(this.#zone, { type: 'NS', target }));
    if (this.nodes.has(wireName(target))) return;
    this.#set(target, TYPE.A, own(target, { type: 'A', address: serverAddress }));
  }

  addBetween(): void {
    for (const { name } of [...this.nodes.values()]) {
      for (let above = name; above !== this.#zone && isWithin(above, this.#zone);) {
        above = above.slice(above.indexOf('.') + 1);
        this.#node(above);
      }
    }
  }

  #node(name: string): Node {
    const wire = wireName(name);
    let node = this.nodes.get(wire);
    if (node === undefined) {
      node = { name, sets: new Map() };
      this.nodes.set(wire, node);
    }
    return node;
  }

  #set(name: string, type: number, set: RecordSet): void {
    this.#node(name).sets.set(type, set);
  }
}

/** Where a target's service is: a CNAME's own target, because a service must not point to an alias (RFC 2782). */
function hostOf({ name, type }: RoutedRecord, target: Target): string {
  return type === 'CNAME' ? (target.values[0] ?? '').replace(/\.$/, '') : madeNames(name, target).site;
}

function serviceData(routed: RoutedRecord, target: Target, owner: string): RecordData | undefined {
  if (target.check === undefined || madeNames(routed.name, target).service !== owner) return undefined;
  return { type: 'SRV', priority: 0, weight: 0, port: target.check.port, target: hostOf(routed, target) };
}

function bindingData(
  routed: RoutedRecord,
  target: Target,
  owner: string,
  protocol: 'http' | 'https',
): RecordData | undefined {
  const { check, values } = target;
  if (check?.protocol !== protocol || madeNames(routed.name, target).binding !== owner) return undefined;
  return {
    type: protocol === 'https' ? 'HTTPS' : 'SVCB',
    priority: 1,
    target: hostOf(routed, target),
    port: check.port,
    ...(routed.type === 'A' && { ipv4hint: values }),
    ...(routed.type === 'AAAA' && { ipv6hint: values }),
  };
}
