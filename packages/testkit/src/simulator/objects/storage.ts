/**
 * The storages of all sites on virtual time: objects under names that are written once, uploads in parts, and transfers that
 * are refused, late, cut, garbled, or stored otherwise than they came. Bytes are characters here.
 */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type {
  ListedObject,
  ObjectEffect,
  ObjectFacts,
  PartFacts,
  Source,
} from '@tandem-clouds/replication/objects/effects';
import { digest } from '../../../../../src/shared/digest.ts';
import { ConflictError, ContentMismatchError, NotFoundError } from '../../../../../src/shared/errors.ts';
import { calling, type Response } from '../run-effects.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import { NO_OBJECT_FAULTS, type ObjectFaults } from './faults.ts';

/** What is larger comes in parts of `PART_BYTES`: as in production, and a quarter of a million times smaller. */
export const BODY_BYTES = 64;
export const PART_BYTES = 32;
/** How long so many bytes take. */
const PART_MS = [2_000, 8_000] as const;
const NAMES_PAGE = 5;

interface Stored {
  readonly text: string;
  readonly crc64: string;
  /** Whether the service cannot say the checksum. */
  readonly isMute: boolean;
  readonly versionId: string;
  readonly modifiedMs: number;
}

interface Parts {
  readonly name: string;
  readonly byNumber: Map<number, { readonly text: string; readonly crc64: string }>;
}

class Storage {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Parts>();
  /** How many faults keep it from answering now. */
  outages = 0;
}

export function checksumOf(text: string): string {
  return `${digest(text).slice(0, 11)}=`;
}

export class Storages {
  faults: ObjectFaults;
  readonly counts = { crossedBytes: 0, fetches: 0 };
  /** Called when what a storage has under a name has changed, by a call. */
  onChanged: (site: SimSite, name: string) => void = () => undefined;
  readonly #world: World;
  readonly #bySite = new Map<string, Storage>();
  #named = 0;

  constructor(world: World, faults: ObjectFaults) {
    this.#world = world;
    this.faults = faults;
    for (const { name } of world.sites) this.#bySite.set(name, new Storage());
  }

  of(site: string): Storage {
    const storage = this.#bySite.get(site);
    if (storage === undefined) throw new RangeError(`no storage of ${site}`);
    return storage;
  }

  /** The bytes under a name; undefined: nothing is there, or the site is gone for good. */
  textAt({ name: site, lost }: SimSite, name: string): string | undefined {
    return lost ? undefined : this.of(site).objects.get(name)?.text;
  }

  /** Ends every fault. */
  heal(): void {
    this.faults = NO_OBJECT_FAULTS;
    for (const storage of this.#bySite.values()) storage.outages = 0;
  }

  latencyMs(effect: ObjectEffect): number {
    const { random } = this.#world;
    const bytes =
      effect.op === 'objectFetch' ? effect.content.bytes : effect.op === 'partFetch' ? effect.bytes : 0;
    const slow = Math.max(1, this.faults.slow);
    return random.between(2, 40) + (bytes / PART_BYTES) * random.between(...PART_MS) * slow;
  }

  /** A client sends bytes to a storage. Whether they are there. */
  upload(site: SimSite, name: string, text: string): boolean {
    if (site.down || this.of(site.name).outages > 0 || this.#world.strikes('throttle')) return false;
    const isMute = this.#world.random.chance(this.faults.mute);
    this.#store(site, name, text, isMute);
    return !this.#world.strikes('ambiguous');
  }

  /** What one site asks. */
  call(at: SimSite, effect: ObjectEffect): Response {
    this.#world.trace(effect.op, at, 'name' in effect ? effect.name : '');
    const to = effect.op === 'objectHead' ? this.#world.site(effect.at) : at;
    const refused = this.#unreached(at, to);
    if (refused !== undefined) return { error: refused };
    const called = calling(this.#world, () => this.#answer(at, to, effect));
    return 'error' in called ? called : called.result;
  }

  #unreached(from: SimSite, to: SimSite): Error | undefined {
    const { random } = this.#world;
    if (to.lost || (from !== to && !this.#world.reaches(from, to)))
      return random.chance(0.5) ? new UnavailableError('no connection') : new AmbiguousError('no answer');
    return this.of(to.name).outages > 0 ? new UnavailableError('the storage is down') : undefined;
  }

  #answer(at: SimSite, to: SimSite, effect: ObjectEffect): Response {
    const own = this.of(at.name);
    switch (effect.op) {
      case 'objectHead':
        return { value: this.#facts(to, effect.name, effect.versionId) };
      case 'objectFetch':
        return this.#fetch(at, effect);
      case 'partsBegin': {
        this.#named += 1;
        const id = `parts-${this.#named}`;
        own.uploads.set(id, { name: effect.name, byNumber: new Map() });
        return { value: { id, name: effect.name } };
      }
      case 'partsList':
        return { value: partsOf(own.uploads.get(idOf(effect.upload))) };
      case 'partFetch':
        return this.#fetchPart(at, effect);
      case 'partsComplete':
        return this.#complete(at, effect);
      case 'partsAbort':
        own.uploads.delete(idOf(effect.upload));
        return {};
      case 'objectList':
        return { value: listed(own, effect) };
      case 'objectSum': {
        const stored = own.objects.get(effect.name);
        if (stored === undefined) return { error: new NotFoundError('not there') };
        return { value: checksumOf(stored.text.slice(0, effect.fromByte + effect.bytes)) };
      }
      case 'objectSum':
        // Nothing is so large here that it would take two.
        return { value: checksumOf(own.objects.get(effect.name)?.text.slice(0, effect.bytes) ?? '') };
      case 'objectDelete': {
        if (this.#version(at.name, effect.name, effect.versionId) === undefined) return {};
        own.objects.delete(effect.name);
        this.#changed(at, effect.name, 'deleted');
        return {};
      }
    }
  }

  /** What is under a name, if it is that version. */
  #version(site: string, name: string, versionId: string | undefined): Stored | undefined {
    const stored = this.of(site).objects.get(name);
    return versionId === undefined || stored?.versionId === versionId ? stored : undefined;
  }

  #facts(site: SimSite, name: string, versionId: string | undefined): ObjectFacts | undefined {
    const stored = this.#version(site.name, name, versionId);
    if (stored === undefined) return undefined;
    return {
      bytes: stored.text.length,
      ...(!stored.isMute && { crc64: stored.crc64 }),
      versionId: stored.versionId,
      modifiedMs: stored.modifiedMs,
    };
  }

  #fetch(at: SimSite, { source, name, content }: Extract<ObjectEffect, { op: 'objectFetch' }>): Response {
    const { objects } = this.of(at.name);
    if (objects.get(name)?.crc64 === content.crc64) return {};
    if (objects.has(name)) return { error: new ConflictError(`${name} is there`) };
    const came = this.#transfer(at, source, 0, content.bytes);
    if (typeof came !== 'string') return { error: came };
    if (checksumOf(came) !== content.crc64) return { error: new ContentMismatchError('other bytes came') };
    this.#store(at, name, came, false);
    return {};
  }

  #fetchPart(at: SimSite, effect: Extract<ObjectEffect, { op: 'partFetch' }>): Response {
    const parts = this.of(at.name).uploads.get(idOf(effect.upload));
    if (parts === undefined) return { error: new NotFoundError('the upload was ended') };
    const came = this.#transfer(at, effect.source, effect.fromByte, effect.bytes);
    if (typeof came !== 'string') return { error: came };
    const part = { text: came, crc64: checksumOf(came) };
    parts.byNumber.set(effect.number, part);
    return { value: factsOf(effect.number, part) };
  }

  /** Bytes that come from a source, or why none do. */
  #transfer(at: SimSite, { from, name, versionId }: Source, fromByte: number, bytes: number): string | Error {
    const { random } = this.#world;
    const peer = this.#world.site(from);
    const unreached = this.#unreached(at, peer);
    if (unreached !== undefined) return unreached;
    const stored = this.#version(from, name, versionId);
    if (stored === undefined) return new NotFoundError(`${name} is not at ${from}`);
    const text = stored.text.slice(fromByte, fromByte + bytes);
    this.counts.fetches += 1;
    this.counts.crossedBytes += text.length;
    if (random.chance(this.faults.cut)) return new UnavailableError('the connection broke');
    return random.chance(this.faults.garble) ? damaged(text) : text;
  }

  #complete(at: SimSite, effect: Extract<ObjectEffect, { op: 'partsComplete' }>): Response {
    const own = this.of(at.name);
    const id = idOf(effect.upload);
    const parts = own.uploads.get(id);
    const name = parts?.name ?? nameOf(effect.upload);
    const there = own.objects.get(name);
    if (there?.crc64 === effect.crc64) return {};
    if (parts === undefined) return { error: new NotFoundError('the upload was ended') };
    if (there !== undefined) return { error: new ConflictError(`${name} is there`) };
    const texts = effect.parts.map(({ number, tag }) => {
      const part = parts.byNumber.get(number);
      return part?.crc64 === tag ? part.text : undefined;
    });
    const text = texts.join('');
    if (texts.includes(undefined) || checksumOf(text) !== effect.crc64)
      return { error: new ContentMismatchError('the parts are something other') };
    own.uploads.delete(id);
    this.#store(at, name, text, false);
    return {};
  }

  #store(site: SimSite, name: string, text: string, isMute: boolean): void {
    const { objects } = this.of(site.name);
    if (objects.has(name)) return;
    const kept = this.#world.random.chance(this.faults.miswrite) ? damaged(text) : text;
    objects.set(name, this.#stored(site, kept, isMute && kept === text));
    this.#changed(site, name, kept === text ? 'stored' : 'stored otherwise');
  }

  #stored(site: SimSite, text: string, isMute: boolean): Stored {
    this.#named += 1;
    const versionId = `v${this.#named}`;
    return { text, crc64: checksumOf(text), isMute, versionId, modifiedMs: site.now() };
  }

  #changed(site: SimSite, name: string, what: string): void {
    this.#world.trace(what, site, name);
    const [, entity = '', id = ''] = name.split('/');
    this.#world.note(`${entity}:${id}`, site.name, () => `${what} ${name.split('/').at(-1) ?? ''}`);
    this.onChanged(site, name);
  }

  /** Something befalls an object, any one or this one, that nobody has asked for. Which one; undefined: it is not there. */
  rot(site: SimSite, chosen?: string): string | undefined {
    const { random } = this.#world;
    const { objects } = this.of(site.name);
    if (objects.size === 0) return undefined;
    const name = chosen ?? random.pick([...objects.keys()]);
    const stored = objects.get(name);
    if (stored === undefined) return undefined;
    if (random.chance(0.6)) objects.delete(name);
    else objects.set(name, this.#stored(site, damaged(stored.text), false));
    this.#world.trace('rot', site, name);
    return name;
  }

  /** The rules of a storage remove what was begun and has not ended. */
  expire(site: SimSite): void {
    this.of(site.name).uploads.clear();
  }
}

/** Other bytes, as many or fewer. */
function damaged(text: string): string {
  return text.length % 3 === 0 ? text.slice(1) : `?${text.slice(1)}`;
}

function factsOf(number: number, { text, crc64 }: { text: string; crc64: string }): PartFacts {
  return { number, bytes: text.length, crc64, tag: crc64 };
}

function partsOf(parts: Parts | undefined): readonly PartFacts[] {
  return [...(parts?.byNumber ?? [])].map(([number, part]) => factsOf(number, part));
}

function idOf(upload: unknown): string {
  return (upload as { readonly id: string }).id;
}

function nameOf(upload: unknown): string {
  return (upload as { readonly name: string }).name;
}

function listed(
  { objects }: Storage,
  { prefix, cursor = '' }: Extract<ObjectEffect, { op: 'objectList' }>,
): { readonly objects: readonly ListedObject[]; readonly cursor?: string } {
  const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > cursor).sort();
  const page = names.slice(0, NAMES_PAGE);
  const last = names.length > NAMES_PAGE ? page.at(-1) : undefined;
  return {
    objects: page.flatMap((name) => {
      const { text, modifiedMs } = objects.get(name) ?? {};
      return text === undefined || modifiedMs === undefined ? [] : [{ name, bytes: text.length, modifiedMs }];
    }),
    ...(last !== undefined && { cursor: last }),
  };
}
