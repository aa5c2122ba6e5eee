/** What the storages of sites are asked by protocols: no bytes pass through a protocol. */
import type { Json } from '../json.ts';
import type { Effect } from '../protocol.ts';
import type { SiteId } from '../stamp.ts';
import type { Content } from './content.ts';

/** What a storage says that it has. */
export interface ObjectFacts {
  readonly bytes: number;
  /** What the service has computed or compared itself; absent: nobody has. */
  readonly crc64?: string;
  readonly versionId?: string;
  readonly modifiedMs: number;
}

/** A part of an upload that is there. */
export interface PartFacts {
  /** From 1. */
  readonly number: number;
  readonly bytes: number;
  readonly crc64: string;
  /** The service's name for it. */
  readonly tag: string;
}

/** Where bytes are fetched from: the storage of a peer. */
export interface Source {
  readonly from: SiteId;
  readonly name: string;
  /** Of the peer's storage; absent: what is current. */
  readonly versionId?: string;
}

export interface ListedObject {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/**
 * Each throws UnavailableError, ThrottledError or AmbiguousError when a storage does not do its part, NotFoundError when the
 * source, or an upload in parts, is not there, and ContentMismatchError when other bytes came than are announced: then
 * nothing was stored.
 */
export type ObjectEffect =
  /** → ObjectFacts | undefined, of this site's storage or of a peer's. */
  | {
      readonly op: 'objectHead';
      readonly at: SiteId;
      readonly name: string;
      readonly versionId?: string | undefined;
    }
  /** All bytes of a peer's into a new object here, compared by their checksum. The same bytes there already: done. → void */
  | { readonly op: 'objectFetch'; readonly source: Source; readonly name: string; readonly content: Content }
  /** → an upload in parts, as plain data that another invocation can go on with. */
  | { readonly op: 'partsBegin'; readonly name: string; readonly content: Content }
  /** → PartFacts[] */
  | { readonly op: 'partsList'; readonly upload: Json }
  /** A range of a peer's bytes as a part here → PartFacts */
  | {
      readonly op: 'partFetch';
      readonly source: Source;
      readonly upload: Json;
      readonly number: number;
      readonly fromByte: number;
      readonly bytes: number;
    }
  /** @throws ContentMismatchError when the parts are not what `crc64` says → void */
  | {
      readonly op: 'partsComplete';
      readonly upload: Json;
      readonly parts: readonly PartFacts[];
      readonly crc64: string;
    }
  | { readonly op: 'partsAbort'; readonly upload: Json }
  /** A page of this site's own → { objects: ListedObject[], cursor?: string } */
  | {
      readonly op: 'objectList';
      readonly prefix: string;
      readonly limit: number;
      readonly cursor?: string | undefined;
    }
  /**
   * What this site's own bytes come to, with those of a range added to those before it: reads them. → the CRC-64/NVME of all
   * bytes up to the end of the range, in base64
   */
  | {
      readonly op: 'objectSum';
      readonly name: string;
      readonly fromByte: number;
      readonly bytes: number;
      readonly before: string;
    }
  /** All versions of a name at this site, or one of them: a call that lands late removes no other. What is not there is deleted. → void */
  | { readonly op: 'objectDelete'; readonly name: string; readonly versionId?: string };

/** Side by side, as `all` of protocols that ask no storage. */
export interface Together {
  readonly op: 'all';
  readonly protocols: readonly ObjectProtocol<unknown>[];
}

/** A protocol that may also ask storages. */
export type ObjectProtocol<Result> = Generator<Effect | ObjectEffect | Together, Result, unknown>;

const OPS: Readonly<Record<ObjectEffect['op'], true>> = {
  objectHead: true,
  objectFetch: true,
  partsBegin: true,
  partsList: true,
  partFetch: true,
  partsComplete: true,
  partsAbort: true,
  objectList: true,
  objectSum: true,
  objectDelete: true,
};

/** Whether an effect is for a storage. */
export function isObjectEffect(effect: { readonly op: string }): effect is ObjectEffect {
  return Object.hasOwn(OPS, effect.op);
}

/** What a storage says of a name; undefined: nothing is there. */
export function* head(at: SiteId, name: string, versionId?: string): ObjectProtocol<ObjectFacts | undefined> {
  return (yield { op: 'objectHead', at, name, versionId }) as ObjectFacts | undefined;
}

/** Runs protocols side by side, as `all` does. */
export function* together<Result>(
  protocols: readonly ObjectProtocol<Result>[],
): ObjectProtocol<readonly Result[]> {
  return (yield { op: 'all', protocols }) as readonly Result[];
}
