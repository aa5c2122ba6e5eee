/** The storage of a site in memory, as protocols ask for it: what they find is what a test has put there. */
import type { Content } from '@tandem-clouds/replication/objects/content';
import type { ListedObject, ObjectEffect, ObjectFacts } from '@tandem-clouds/replication/objects/effects';
import { crc64Of, joinedCrc64 } from '../../src/shared/crc64.ts';
import { ContentMismatchError, NotFoundError } from '../../src/shared/errors.ts';

interface Stored {
  body: Uint8Array;
  readonly crc64: string;
  readonly modifiedMs: number;
}

export class MemoryStorage {
  readonly objects = new Map<string, Stored>();
  /** Names that were asked for, by operation. */
  readonly asked: string[] = [];
  /** Called before each effect; may throw. */
  before: (effect: ObjectEffect) => void = () => undefined;

  readonly #now: () => number;
  /** Whose storages this site can read. */
  peers: ReadonlyMap<string, MemoryStorage> = new Map();

  constructor(now: () => number) {
    this.#now = now;
  }

  put(name: string, body: Uint8Array, modifiedMs = this.#now()): void {
    this.objects.set(name, { body, crc64: crc64Of(body), modifiedMs });
  }

  /** The storage does not notice. */
  rot(name: string): void {
    const stored = this.objects.get(name);
    if (stored !== undefined) stored.body = stored.body.map((byte) => byte ^ 1);
  }

  perform = (effect: ObjectEffect): Promise<unknown> => Promise.resolve().then(() => this.#perform(effect));

  #perform(effect: ObjectEffect): unknown {
    this.before(effect);
    this.asked.push(effect.op);
    switch (effect.op) {
      case 'objectHead':
        return (this.peers.get(effect.at) ?? this).#facts(effect.name);
      case 'objectFetch':
        this.#fetch(effect.source, effect.name, effect.content);
        return undefined;
      case 'objectList':
        return this.#list(effect.prefix, effect.limit, effect.cursor);
      case 'objectSum': {
        const { body } = this.#stored(effect.name);
        const range = body.subarray(effect.fromByte, effect.fromByte + effect.bytes);
        return joinedCrc64([
          { crc64: effect.before, bytes: effect.fromByte },
          { crc64: crc64Of(range), bytes: range.length },
        ]);
      }
      case 'objectDelete':
        this.objects.delete(effect.name);
        return undefined;
      case 'partsBegin':
      case 'partsList':
      case 'partFetch':
      case 'partsComplete':
      case 'partsAbort':
        throw new TypeError(`${effect.op}: nothing here is large`);
    }
  }

  #stored(name: string): Stored {
    const stored = this.objects.get(name);
    if (stored === undefined) throw new NotFoundError(`${name} is not there`);
    return stored;
  }

  #facts(name: string): ObjectFacts | undefined {
    const stored = this.objects.get(name);
    return stored && { bytes: stored.body.length, crc64: stored.crc64, modifiedMs: stored.modifiedMs };
  }

  #fetch(source: { from: string; name: string }, name: string, { crc64 }: Content): void {
    const { body } = (this.peers.get(source.from) ?? this).#stored(source.name);
    if (crc64Of(body) !== crc64) throw new ContentMismatchError(`${source.from}: other bytes`);
    this.put(name, body);
  }

  #list(prefix: string, limit: number, cursor = ''): { objects: ListedObject[]; cursor?: string } {
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix) && name > cursor).sort();
    const page = names.slice(0, limit);
    const last = page.at(-1);
    const objects = page.map((name) => {
      const { body, modifiedMs } = this.#stored(name);
      return { name, bytes: body.length, modifiedMs };
    });
    return { objects, ...(names.length > limit && last !== undefined && { cursor: last }) };
  }
}
