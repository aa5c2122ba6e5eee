/**
 * A zone made ready to answer from.
 *
 * Invariants: the records of one choice never mix with another's. What is remembered is bounded by the zone, not by
 * what is asked.
 */
import { checkKey, type HealthCheck, keyOf, type RoutedRecord } from '@tandem-clouds/zone/model';
import { allUnhealthy, type Candidate, type Choose, prepareChoice } from './choose.ts';
import type { ClientLocation, Latencies } from './locations.ts';
import { MessageWriter, type RecordData, type ResourceRecord, wireName } from './message-writer.ts';
import { TYPE } from './wire.ts';
import type { Zone } from './zone.ts';
import { makeNodes, type Nodes, type RecordSet, soaOf } from './zone-nodes.ts';

/** What is answered to the type ANY (RFC 8482, section 4.2). */
const ANY_DATA: RecordData = { type: 'HINFO', cpu: 'RFC8482', os: '' };
const ANY_TTL_SECONDS = 3_600;

/** The records behind a question section, encoded. */
export interface Tail {
  readonly bytes: Buffer;
  /** Without the additional records, which may be left out. */
  readonly coreBytes: number;
  readonly answers: number;
  readonly authority: number;
  readonly additional: number;
}

export interface ServedZoneOptions {
  readonly zone: Zone;
  readonly revision: number;
  readonly serverAddress: string;
  readonly latencies: Latencies;
  /** By `checkKey`. */
  readonly isHealthy: (check: string) => boolean;
  /** As Math.random. */
  readonly random: () => number;
}

/** What there is for a question. */
export interface Found {
  readonly exists: boolean;
  readonly tail: Tail;
}

/** A set with what has been worked out for it. */
interface Served {
  readonly set: RecordSet;
  /** By choice. */
  readonly tails: (Tail | undefined)[];
  /** Answers by choice. */
  readonly chosen: number[];
  choose: Choose | undefined;
}

interface IncomingRequest {
  readonly set: RecordSet;
  readonly type: number;
  readonly locate: () => ClientLocation | undefined;
}

interface Chosen {
  readonly served: Served;
  readonly choice: number;
  readonly answers: readonly ResourceRecord[];
}

/** Names that an answer follows at most; a longer way, or one that comes back, ends with what it has. */
const ALIASES_MAX = 16;

export class ServedZone {
  readonly zone: Zone;
  readonly #options: ServedZoneOptions;
  readonly #nodes: Nodes;
  readonly #served = new Map<RecordSet, Served>();
  readonly #noData = new Map<string, Tail>();
  readonly #apex: string;
  readonly #soa: ResourceRecord;

  constructor(options: ServedZoneOptions) {
    this.#options = options;
    this.zone = options.zone;
    this.#apex = wireName(this.zone.zone);
    this.#soa = soaOf(this.zone.zone, options.revision);
    this.#nodes = makeNodes(this.zone, this.#soa, options.serverAddress);
  }

  /** Forgets which targets were usable: somebody's health has changed. */
  healthChanged(): void {
    for (const served of this.#served.values()) served.choose = undefined;
  }

  /** How often each site has been answered, by the record's key. */
  chosen(): Record<string, Record<string, number>> {
    return Object.fromEntries(
      this.#routed().map((routed) => {
        const set = this.#nodes.get(wireName(routed.name))?.sets.get(TYPE[routed.type]);
        const counts = set === undefined ? [] : this.#serve(set).chosen;
        return [
          keyOf(routed),
          Object.fromEntries(routed.targets.map(({ site }, index) => [site, counts[index] ?? 0])),
        ];
      }),
    );
  }

  /** The keys of the records of which all targets are unhealthy, so that all are served. */
  lost(): string[] {
    return this.#routed()
      .filter((routed) => allUnhealthy(this.#candidates(routed, [...routed.targets.keys()])))
      .map(keyOf);
  }

  /** Every health check of the zone, by its key. */
  checks(): Map<string, HealthCheck> {
    const checks = this.#routed().flatMap(({ targets }) => targets.flatMap(({ check }) => check ?? []));
    return new Map(checks.map((check) => [checkKey(check), check]));
  }

  /**
   * Looks a question up; undefined when the name is not within the zone.
   * @param name Lower case, wire form.
   * @param locate Asked only when the answer depends on it.
   */
  find(name: string, type: number, locate: () => ClientLocation | undefined): Found | undefined {
    const node = this.#nodes.get(name);
    if (node === undefined) {
      if (!this.#endsInZone(name)) return undefined;
      return { exists: false, tail: encodeTail(name, { authority: [this.#soa] }) };
    }
    const set = node.sets.get(type) ?? node.sets.get(TYPE.CNAME);
    if (set !== undefined) return this.#answer(name, { set, type, locate });
    if (type !== TYPE.ANY || node.sets.size === 0) return { exists: true, tail: this.#none(name) };
    const answers = [{ name: node.name, ttlSeconds: ANY_TTL_SECONDS, data: ANY_DATA }];
    return { exists: true, tail: encodeTail(name, { answers }) };
  }

  #answer(name: string, requested: IncomingRequest): Found {
    const chosen = this.#choose(requested);
    if (chosen === undefined) return { exists: true, tail: this.#none(name) };
    const { served, choice, answers } = chosen;
    const target = aliasOf(answers, requested.type);
    // A name of elsewhere is for the resolver to follow.
    if (target !== undefined && this.#endsInZone(target))
      return this.#followed(name, { answers, target }, requested);
    const tail = (served.tails[choice] ??= encodeTail(name, {
      answers,
      additional: this.#additional(answers),
    }));
    return { exists: true, tail };
  }

  /**
   * A CNAME with what it leads to in this zone (RFC 1034, section 4.3.2, step 3a). The code of the answer is that of the
   * last name (RFC 6604, section 3); what is missing there is said by the SOA record (RFC 2308, section 2).
   */
  #followed(
    name: string,
    first: { answers: readonly ResourceRecord[]; target: string },
    requested: IncomingRequest,
  ): Found {
    const answers = [...first.answers];
    const seen = new Set([name]);
    let last: readonly ResourceRecord[] = first.answers;
    for (
      let target: string | undefined = first.target;
      target !== undefined;
      target = aliasOf(last, requested.type)
    ) {
      if (seen.has(target) || seen.size > ALIASES_MAX || !this.#endsInZone(target)) break;
      seen.add(target);
      const sets = this.#nodes.get(target)?.sets;
      const set = sets?.get(requested.type) ?? sets?.get(TYPE.CNAME);
      const chosen = set && this.#choose({ ...requested, set });
      if (chosen === undefined) {
        return { exists: sets !== undefined, tail: encodeTail(name, { answers, authority: [this.#soa] }) };
      }
      last = chosen.answers;
      answers.push(...last);
    }
    return { exists: true, tail: encodeTail(name, { answers, additional: this.#additional(last) }) };
  }

  /** What a set answers this client now; undefined when nothing of it is meant for the client. */
  #choose({ set, locate }: IncomingRequest): Chosen | undefined {
    const served = this.#serve(set);
    served.choose ??= this.#prepare(set);
    const choice = served.choose(needsLocation(set) ? locate() : undefined);
    const answers = choice === undefined ? undefined : set.choices[choice];
    if (choice === undefined || answers === undefined) return undefined;
    served.chosen[choice] = (served.chosen[choice] ?? 0) + 1;
    return { served, choice, answers };
  }

  #serve(set: RecordSet): Served {
    let served = this.#served.get(set);
    if (served === undefined) {
      served = {
        set,
        tails: set.choices.map(() => undefined),
        chosen: set.choices.map(() => 0),
        choose: undefined,
      };
      this.#served.set(set, served);
    }
    return served;
  }

  #prepare({ choices, routed }: RecordSet): Choose {
    if (routed === undefined) return () => 0;
    const having = [...choices.keys()].filter((index) => choices[index]?.length);
    const { latencies, random } = this.#options;
    const { strategy } = routed;
    return prepareChoice({ strategy, candidates: this.#candidates(routed, having), latencies, random });
  }

  #candidates({ targets }: RoutedRecord, indices: readonly number[]): Candidate[] {
    return indices.flatMap((index) => {
      const target = targets[index];
      if (target === undefined) return [];
      const { check } = target;
      return [{ index, target, healthy: check === undefined || this.#options.isHealthy(checkKey(check)) }];
    });
  }

  #none(name: string): Tail {
    let tail = this.#noData.get(name);
    if (tail === undefined) {
      tail = encodeTail(name, { authority: [this.#soa] });
      this.#noData.set(name, tail);
    }
    return tail;
  }

  #routed(): RoutedRecord[] {
    return this.zone.records.filter((record) => record.kind === 'routed');
  }

  /** The addresses of what answers point to, as far as they are ours: they save the client a question. */
  #additional(answers: readonly ResourceRecord[]): ResourceRecord[] {
    return answers.flatMap(({ data }) => {
      if (!('target' in data) || data.type === 'CNAME') return [];
      const sets = this.#nodes.get(wireName(data.target))?.sets;
      return [TYPE.A, TYPE.AAAA].flatMap((type) => {
        const set = sets?.get(type);
        return set?.routed === undefined ? (set?.choices[0] ?? []) : [];
      });
    });
  }

  /** A label may hold any bytes, also those that look like the end of a name; so labels are counted. */
  #endsInZone(name: string): boolean {
    const start = name.length - this.#apex.length;
    let at = 0;
    while (at < start) at += name.charCodeAt(at) + 1;
    return at === start && name.endsWith(this.#apex);
  }
}

/** Where a CNAME leads, in wire form, unless it was asked for itself. */
function aliasOf(answers: readonly ResourceRecord[], type: number): string | undefined {
  const [first] = answers;
  const isRequested = type === TYPE.CNAME || type === TYPE.ANY;
  return first?.data.type === 'CNAME' && !isRequested ? wireName(first.data.target) : undefined;
}

function needsLocation({ routed }: RecordSet): boolean {
  return routed?.strategy === 'latency' || routed?.strategy === 'geolocation';
}

interface Sections {
  readonly answers?: readonly ResourceRecord[];
  readonly authority?: readonly ResourceRecord[];
  readonly additional?: readonly ResourceRecord[];
}

function encodeTail(question: string, { answers = [], authority = [], additional = [] }: Sections): Tail {
  const writer = new MessageWriter(question);
  for (const record of [...answers, ...authority]) writer.record(record);
  const coreBytes = writer.length;
  for (const record of additional) writer.record(record);
  return {
    bytes: writer.bytes(),
    coreBytes,
    answers: answers.length,
    authority: authority.length,
    additional: additional.length,
  };
}
