/**
 * Sans-I/O protocols: a protocol is a generator that yields what it wants done and is given the result.
 *
 * Production drives it with promises (`drive.ts`), a simulator synchronously on virtual time. Neither the
 * protocols nor this module know a clock, a store or a queue.
 */
import type { DeclaredWriter, KeptAt } from './declared-places.ts';
import type { OutboundMessage, SendResult } from './ports/queue.ts';
import type {
  ClearRequest,
  DueEntry,
  FoundEntry,
  IndexQuery,
  KeyPage,
  PendingEntry,
  PutResult,
  Revision,
  ScanOptions,
  ScanPage,
  Versioned,
  WriteRequest,
} from './ports/store.ts';
import type { Reactions } from './reactions/condition.ts';
import type { SiteId } from './stamp.ts';

export type Effect =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'getMany'; readonly keys: readonly string[] }
  | { readonly op: 'putMany'; readonly writes: readonly WriteRequest[] }
  | { readonly op: 'clearPending'; readonly requests: readonly ClearRequest[] }
  | {
      readonly op: 'pending';
      readonly beforeMs: number;
      readonly limit: number;
      readonly after?: PendingEntry | undefined;
    }
  | {
      readonly op: 'due';
      readonly beforeMs: number;
      readonly limit: number;
      readonly after?: DueEntry | undefined;
    }
  /** Of a generic index. It may lag, so each of them is to be confirmed by the record itself. */
  | { readonly op: 'entries'; readonly query: IndexQuery }
  /** Keys with something to do now, to whoever reacts at this site. Nothing depends on it but how soon. */
  | { readonly op: 'wake'; readonly keys: readonly string[] }
  /** To the site's own queue. */
  | { readonly op: 'publish'; readonly messages: readonly OutboundMessage[] }
  /** To a peer's inbound queue. */
  | { readonly op: 'send'; readonly peer: SiteId; readonly messages: readonly OutboundMessage[] }
  /** To the queue of comparisons of a peer, or of this site itself. */
  | { readonly op: 'tell'; readonly site: SiteId; readonly messages: readonly OutboundMessage[] }
  | ({ readonly op: 'scan' } & ScanOptions)
  | ({ readonly op: 'scanKeys' } & Omit<ScanOptions, 'limit'>)
  | { readonly op: 'remove'; readonly key: string; readonly expected: Revision }
  | { readonly op: 'sleep'; readonly ms: number }
  /** Side by side. Ends when all have; throws what the first that threw has thrown. */
  | { readonly op: 'all'; readonly protocols: readonly Protocol<unknown>[] };

export type Protocol<Result> = Generator<Effect, Result, unknown>;

/** What a protocol knows of the site that it runs at. */
export interface Site {
  readonly site: SiteId;
  readonly peers: readonly SiteId[];
  /** Where the archive of this site is (`archive.ts`): at the cloud of this peer. Absent: it has none. */
  readonly archiveAt?: SiteId | undefined;
  /** Sites that are gone for good, whose stamps records still bear. */
  readonly retired?: readonly SiteId[];
  /** True while this site is being filled: what it lacks may yet arrive. */
  readonly rebuilding?: boolean;
  /** Which sites keep a record (`placement.ts`); absent: every site keeps every record. */
  readonly keptAt?: KeptAt;
  /** Of entities whose records one site writes at a time (`writer-record.ts`); absent: there are none. */
  readonly declaredWriter?: DeclaredWriter;
  /** What is done while conditions on records hold; a function that writes no records of clients has none. */
  readonly reactions?: Reactions;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export function* get(key: string): Protocol<Versioned | undefined> {
  return (yield { op: 'get', key }) as Versioned | undefined;
}

export function* getMany(keys: readonly string[]): Protocol<ReadonlyMap<string, Versioned>> {
  return (yield { op: 'getMany', keys }) as ReadonlyMap<string, Versioned>;
}

/** One conditional write per record; outcomes in the order of the writes. */
export function* putMany(writes: readonly WriteRequest[]): Protocol<readonly PutResult[]> {
  return (yield { op: 'putMany', writes }) as readonly PutResult[];
}

/** Outcomes in the order of the requests. */
export function* clearPending(requests: readonly ClearRequest[]): Protocol<readonly (Error | undefined)[]> {
  return (yield { op: 'clearPending', requests }) as readonly (Error | undefined)[];
}

export function* pending(
  beforeMs: number,
  limit: number,
  after?: PendingEntry,
): Protocol<readonly PendingEntry[]> {
  return (yield { op: 'pending', beforeMs, limit, after }) as readonly PendingEntry[];
}

export function* due(beforeMs: number, limit: number, after?: DueEntry): Protocol<readonly DueEntry[]> {
  return (yield { op: 'due', beforeMs, limit, after }) as readonly DueEntry[];
}

export function* entries(query: IndexQuery): Protocol<readonly FoundEntry[]> {
  return (yield { op: 'entries', query }) as readonly FoundEntry[];
}

export function* wake(keys: readonly string[]): Protocol<void> {
  yield { op: 'wake', keys };
}

export function* publish(messages: readonly OutboundMessage[]): Protocol<readonly SendResult[]> {
  return (yield { op: 'publish', messages }) as readonly SendResult[];
}

export function* send(peer: SiteId, messages: readonly OutboundMessage[]): Protocol<readonly SendResult[]> {
  return (yield { op: 'send', peer, messages }) as readonly SendResult[];
}

export function* notify(site: SiteId, messages: readonly OutboundMessage[]): Protocol<readonly SendResult[]> {
  return (yield { op: 'tell', site, messages }) as readonly SendResult[];
}

export function* scan(options: ScanOptions): Protocol<ScanPage> {
  return (yield { op: 'scan', ...options }) as ScanPage;
}

export function* scanKeys(options: Omit<ScanOptions, 'limit'>): Protocol<KeyPage | undefined> {
  return (yield { op: 'scanKeys', ...options }) as KeyPage | undefined;
}

/** Whether the record was still at this revision, and is gone. */
export function* remove(key: string, expected: Revision): Protocol<boolean> {
  return (yield { op: 'remove', key, expected }) as boolean;
}

export function* sleep(ms: number): Protocol<void> {
  yield { op: 'sleep', ms };
}

/** Runs protocols side by side; results in their order. @throws what one of them throws, once all have ended. */
export function* all<Result>(protocols: readonly Protocol<Result>[]): Protocol<readonly Result[]> {
  if (protocols.length === 0) return [];
  const [only] = protocols;
  if (protocols.length === 1 && only !== undefined) return [yield* only];
  return (yield { op: 'all', protocols }) as readonly Result[];
}
