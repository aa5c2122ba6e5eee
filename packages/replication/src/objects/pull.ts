/**
 * Pull: bring the bytes of one upload into this site's storage, from the storage of a site that has them.
 *
 * Invariant: it ends as held only after this site's storage has said that it has just these bytes, whatever became of the
 * calls before. What a source sends is compared with what the record says; other bytes count for nothing and are not kept.
 *
 * Invariant: what is there under the name of an upload and is something other gives way only when a source has said that it
 * has the right bytes.
 *
 * Bytes that are larger than one body come in parts. The upload in parts is noted before the first of them is fetched, so
 * whoever goes on after a crash, or after the end of a function, finds the parts that are there.
 */
import { crossingLookMs, pullBodyBytesMax, pullPartBytes, pullPartsAtOnce } from '../bounds.ts';
import { AppError, UnavailableError } from '../errors.ts';
import type { Json } from '../json.ts';
import { peersOf } from '../placement.ts';
import type { Site } from '../protocol.ts';
import type { Unfinished } from '../reactions/react.ts';
import type { SiteId } from '../stamp.ts';
import { type Content, type Held, siteOfUpload, storageName } from './content.ts';
import {
  head,
  type ObjectFacts,
  type ObjectProtocol,
  type PartFacts,
  type Source,
  together,
} from './effects.ts';

export interface PullOptions {
  /** Whether there is time to fetch more; asked between calls, and each run fetches something first. */
  readonly goesOn?: (() => boolean) | undefined;
  /** What is larger than this comes in parts of that size, so many side by side. */
  readonly bodyBytesMax?: number | undefined;
  readonly partBytes?: number | undefined;
  readonly partsAtOnce?: number | undefined;
}

/** What one run leaves to the next; every member is plain data. */
interface Progress {
  /** The upload in parts that is under way. */
  readonly upload?: Json;
  /** How many of its parts are here. */
  readonly parts?: number;
  /** The source to begin with: the one before has sent other bytes. */
  readonly from?: SiteId;
}

/**
 * Whether the storage of a site has said that it has just these bytes: by their checksum or, where it cannot say that, by the
 * very version that was verified when the upload was completed.
 */
export function hasContent(
  facts: ObjectFacts | undefined,
  { upload, bytes, crc64, versionId }: Content,
  at: SiteId,
): boolean {
  if (facts?.bytes !== bytes) return false;
  if (facts.crc64 !== undefined) return facts.crc64 === crc64;
  return at === siteOfUpload(upload) && versionId !== undefined && facts.versionId === versionId;
}

/** Whether a storage has said that it has something other; not where it cannot say which bytes they are. */
export function hasOther(facts: ObjectFacts, { bytes, crc64 }: Content): boolean {
  return facts.bytes !== bytes || (facts.crc64 !== undefined && facts.crc64 !== crc64);
}

/**
 * One run. Fails by what it returns, and by throwing only what this site's own storage has failed with.
 * @param progress What an earlier run has returned.
 */
export function* pull(
  site: Site,
  key: string,
  held: Held,
  { progress, ...options }: PullOptions & { readonly progress?: Json | undefined } = {},
): ObjectProtocol<'held' | Unfinished> {
  return yield* new Pull(site, key, held, options).run((progress ?? {}) as Progress);
}

class Pull {
  readonly #site: Site;
  readonly #key: string;
  readonly #held: Held;
  readonly #content: Content;
  readonly #name: string;
  readonly #options: PullOptions;
  readonly #failures: string[] = [];
  /** What is here under the name and is something other. */
  #other: ObjectFacts | undefined;

  constructor(site: Site, key: string, held: Held, options: PullOptions) {
    this.#site = site;
    this.#key = key;
    this.#held = held;
    this.#content = held.content;
    this.#name = storageName(key, held.content.upload);
    this.#options = options;
  }

  *run(progress: Progress): ObjectProtocol<'held' | Unfinished> {
    if (yield* this.#isHere()) return 'held';
    const sources = this.#sources(progress.from);
    if (sources.length === 0) return this.#hopeless(progress);
    const { bodyBytesMax = pullBodyBytesMax } = this.#options;
    return this.#content.bytes <= bodyBytesMax
      ? yield* this.#asWhole(sources)
      : yield* this.#inParts(sources, progress);
  }

  *#isHere(): ObjectProtocol<boolean> {
    const facts = yield* head(this.#site.site, this.#name);
    const isHere = hasContent(facts, this.#content, this.#site.site);
    this.#other = isHere ? undefined : facts;
    return isHere;
  }

  /** Sites that claim it: the one that it was sent to before the others, unless an earlier run says where to begin. */
  #sources(from: SiteId | undefined): readonly SiteId[] {
    const asked = peersOf(this.#site, { key: this.#key });
    const origin = siteOfUpload(this.#content.upload);
    const claiming = this.#held.heldBy.filter((each) => asked.includes(each));
    const ordered = [...claiming].sort((a, b) => Number(b === origin) - Number(a === origin));
    const first = from === undefined ? -1 : ordered.indexOf(from);
    return first < 0 ? ordered : [...ordered.slice(first), ...ordered.slice(0, first)];
  }

  *#asWhole(sources: readonly SiteId[]): ObjectProtocol<'held' | Unfinished> {
    for (const from of sources) {
      try {
        yield* this.#fetchWhole(from);
      } catch (error) {
        this.#note(from, error);
      }
      // Also after a failure: the call may have been done.
      if (yield* this.#isHere()) return 'held';
      if (!this.#goesOn()) break;
    }
    return this.#failed({}, 'no source has brought it');
  }

  *#fetchWhole(from: SiteId): ObjectProtocol<void> {
    const pinned = this.#pinned(from);
    if (this.#other === undefined) {
      try {
        yield* this.#fetch(pinned);
        return;
      } catch (error) {
        // A storage that had lost it, and got it anew, has it as another version.
        if (codeOf(error) !== NOT_FOUND || pinned.versionId === undefined) throw error;
      }
    }
    const source = yield* this.#located(from);
    yield* this.#makeRoom();
    yield* this.#fetch(source);
  }

  *#fetch(source: Source): ObjectProtocol<void> {
    yield { op: 'objectFetch', source, name: this.#name, content: this.#content };
  }

  *#inParts(sources: readonly SiteId[], progress: Progress): ObjectProtocol<'held' | Unfinished> {
    const { upload } = progress;
    for (const [index, from] of sources.entries()) {
      try {
        const source = yield* this.#located(from);
        yield* this.#makeRoom();
        if (upload === undefined) return { progress: yield* this.#begun(from) };
        const { parts, isAll } = yield* this.#fetchParts(source, upload);
        if (!isAll) return { progress: { upload, parts: parts.length, from } };
        yield { op: 'partsComplete', upload, parts, crc64: this.#content.crc64 };
        if (yield* this.#isHere()) return 'held';
        return this.#failed({ from: after(sources, index) }, 'it was stored and is something other');
      } catch (error) {
        this.#note(from, error);
        // Also after a failure: the call may have been done.
        if (yield* this.#isHere()) return 'held';
        if (codeOf(error) === MISMATCH) {
          yield* this.#abort(upload);
          return this.#failed({ from: after(sources, index) }, 'what came is something other');
        }
        // The source had it just now: what is not there is the upload in parts.
        if (codeOf(error) === NOT_FOUND && !(error instanceof NotThereError))
          return this.#failed({ from }, 'the upload in parts is gone');
      }
      if (!this.#goesOn()) break;
    }
    return this.#failed(progress, 'no source has brought it');
  }

  *#begun(from: SiteId): ObjectProtocol<Json> {
    const upload = (yield { op: 'partsBegin', name: this.#name, content: this.#content }) as Json;
    return { upload, parts: 0, from };
  }

  /** All parts that are there, once as many were fetched as there was time for: at least one round. */
  *#fetchParts(
    source: Source,
    upload: Json,
  ): ObjectProtocol<{ readonly parts: readonly PartFacts[]; readonly isAll: boolean }> {
    const { partBytes = pullPartBytes, partsAtOnce = pullPartsAtOnce } = this.#options;
    const ranges = rangesOf(this.#content.bytes, partBytes);
    const there = new Map<number, PartFacts>();
    for (const part of (yield { op: 'partsList', upload }) as readonly PartFacts[])
      if (ranges[part.number - 1]?.bytes === part.bytes) there.set(part.number, part);
    const missing = ranges.filter(({ number }) => !there.has(number));
    for (let first = 0; first < missing.length; first += partsAtOnce) {
      if (first > 0 && !this.#goesOn()) break;
      const round = missing.slice(first, first + partsAtOnce);
      const parts = yield* together(round.map((range) => fetchPart(source, upload, range)));
      for (const part of parts) there.set(part.number, part);
    }
    const parts = [...there.values()].sort((a, b) => a.number - b.number);
    return { parts, isAll: parts.length === ranges.length };
  }

  /** The version that was pinned is the storage's that it was sent to. */
  #pinned(from: SiteId): Source {
    const { upload, versionId } = this.#content;
    const isOrigin = from === siteOfUpload(upload);
    return { from, name: this.#name, ...(isOrigin && versionId !== undefined && { versionId }) };
  }

  /** What a source says that it has. @throws AppError when that is nothing, or something other */
  *#located(from: SiteId): ObjectProtocol<Source> {
    const { versionId } = this.#pinned(from);
    const pinned = versionId === undefined ? undefined : yield* head(from, this.#name, versionId);
    const facts = pinned ?? (yield* head(from, this.#name));
    if (facts === undefined) throw new NotThereError(`${this.#name} is not there`);
    // What is here is given up only for what was verified.
    const isWrong =
      this.#other === undefined ? hasOther(facts, this.#content) : !hasContent(facts, this.#content, from);
    if (isWrong) throw new NotThereError('it has something other');
    return {
      from,
      name: this.#name,
      ...(facts.versionId !== undefined && { versionId: facts.versionId }),
    };
  }

  *#makeRoom(): ObjectProtocol<void> {
    if (this.#other === undefined) return;
    const { versionId } = this.#other;
    yield { op: 'objectDelete', name: this.#name, ...(versionId !== undefined && { versionId }) };
    this.#other = undefined;
  }

  /** What is left is removed by the storage's own rules in the end. */
  *#abort(upload: Json | undefined): ObjectProtocol<void> {
    if (upload === undefined) return;
    try {
      yield { op: 'partsAbort', upload };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }

  #goesOn(): boolean {
    return this.#options.goesOn?.() ?? true;
  }

  /** @throws what is no failure of a source, but a defect */
  #note(from: SiteId, error: unknown): void {
    if (!(error instanceof AppError)) throw error;
    this.#failures.push(`${from}: ${error.message}`);
  }

  /** Whoever has it is gone for good; or nobody claims it yet, as after an override, and somebody soon will. */
  #hopeless(progress: Progress): Unfinished {
    const { heldBy } = this.#held;
    const text = `no site that can be asked has it, but ${heldBy.join(', ') || 'none'}`;
    return { ...this.#failed(progress, text), ...(heldBy.length > 0 && { pauseMs: crossingLookMs }) };
  }

  #failed(progress: Progress, text: string): Unfinished {
    const why = [text, ...this.#failures].join('; ');
    return {
      ...(Object.keys(progress).length > 0 && { progress: { ...progress } }),
      failure: new UnavailableError(`${this.#content.upload}: ${why}`),
    };
  }
}

/** A source has not got it. */
class NotThereError extends AppError {
  override readonly name = 'NotThereError';
  readonly code = 'not_found';
}

/** Codes of what storages throw (`effects.ts`). */
const NOT_FOUND = 'not_found';
const MISMATCH = 'content_mismatch';

function codeOf(error: unknown): string | undefined {
  return error instanceof AppError ? error.code : undefined;
}

interface Range {
  readonly number: number;
  readonly fromByte: number;
  readonly bytes: number;
}

function rangesOf(bytes: number, partBytes: number): readonly Range[] {
  return Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => ({
    number: index + 1,
    fromByte: index * partBytes,
    bytes: Math.min(partBytes, bytes - index * partBytes),
  }));
}

function* fetchPart(source: Source, upload: Json, range: Range): ObjectProtocol<PartFacts> {
  return (yield { op: 'partFetch', source, upload, ...range }) as PartFacts;
}

/** The source to begin with next time. */
function after(sources: readonly SiteId[], index: number): SiteId {
  return sources[(index + 1) % sources.length] ?? '';
}
