/**
 * The durable side of the queues: every change as one line of a journal, replayed at the next start.
 *
 * Invariant: a change is in the file before its effect can be seen, so a message that a client was told is
 * stored survives SIGKILL, and a completed one never comes back.
 */
import path from 'node:path';
import { Journal } from '../core/journal.ts';
import type { Message, MessageState } from './message.ts';
import type { QueueChange, QueueEntry } from './queue-changes.ts';
import type { QueueSettings } from './queue-options.ts';

/** A message in JSON: bytes as base64, and an endless life as an absent `expiresAt`. */
type StoredMessage = Omit<Message, 'annotations' | 'bare' | 'expiresAt'> & {
  readonly annotations: string;
  readonly bare: string;
  readonly expiresAt?: number;
};

type StoredChange =
  | { readonly kind: 'added'; readonly messages: readonly StoredMessage[] }
  | { readonly kind: 'removed'; readonly sequence: number }
  | {
      readonly kind: 'updated';
      readonly sequence: number;
      readonly state: MessageState;
      readonly deliveryCount: number;
      readonly enqueuedAt: number;
      readonly expiresAt?: number;
      readonly bare?: string;
    }
  | { readonly kind: 'dead-lettered'; readonly sequence: number; readonly message: StoredMessage }
  | { readonly kind: 'session-state'; readonly sessionId: string; readonly state?: string }
  | { readonly kind: 'seen'; readonly ids: readonly (readonly [string, number])[] }
  | { readonly kind: 'numbered'; readonly sequence: number }
  | { readonly kind: 'defined'; readonly settings: QueueSettings };

/** One line of the file. */
interface StoredEntry {
  readonly queue: string;
  readonly change: StoredChange;
}

/** Where the journal lives inside a data folder. */
export const JOURNAL_FILE = 'service-bus.jsonl';

/** Smallest estimated size, in bytes, at which a journal is rewritten. */
const COMPACT_AT_BYTES = 8 * 1024 * 1024;
/** A journal is rewritten when it is this many times larger than what was live at the last rewrite. */
const COMPACT_RATIO = 4;
/** Rough size of a line without the bytes of its messages. */
const LINE_BYTES = 200;

const encodeBytes = (bytes: Buffer): string => bytes.toString('base64');
const decodeBytes = (text: string): Buffer => Buffer.from(text, 'base64');

function storeMessage(message: Message): StoredMessage {
  const { annotations, bare, expiresAt, ...rest } = message;
  return {
    ...rest,
    annotations: encodeBytes(annotations),
    bare: encodeBytes(bare),
    ...(expiresAt === Infinity ? {} : { expiresAt }),
  };
}

function loadMessage(stored: StoredMessage): Message {
  const { annotations, bare, expiresAt = Infinity, ...rest } = stored;
  return { ...rest, annotations: decodeBytes(annotations), bare: decodeBytes(bare), expiresAt };
}

function storeChange(change: QueueChange): StoredChange {
  switch (change.kind) {
    case 'added':
      return { kind: 'added', messages: change.messages.map(storeMessage) };
    case 'updated': {
      const { bare, expiresAt, ...rest } = change;
      return {
        ...rest,
        ...(expiresAt === Infinity ? {} : { expiresAt }),
        ...(bare === undefined ? {} : { bare: encodeBytes(bare) }),
      };
    }
    case 'dead-lettered':
      return { ...change, message: storeMessage(change.message) };
    case 'session-state': {
      const { kind, sessionId, state } = change;
      return { kind, sessionId, ...(state === undefined ? {} : { state: encodeBytes(state) }) };
    }
    case 'removed':
    case 'seen':
    case 'numbered':
    case 'defined':
      return change;
  }
}

function loadChange(stored: StoredChange): QueueChange {
  switch (stored.kind) {
    case 'added':
      return { kind: 'added', messages: stored.messages.map(loadMessage) };
    case 'updated': {
      const { bare, expiresAt = Infinity, ...rest } = stored;
      return { ...rest, expiresAt, ...(bare === undefined ? {} : { bare: decodeBytes(bare) }) };
    }
    case 'dead-lettered':
      return { ...stored, message: loadMessage(stored.message) };
    case 'session-state': {
      const { kind, sessionId, state } = stored;
      return { kind, sessionId, state: state === undefined ? undefined : decodeBytes(state) };
    }
    case 'removed':
    case 'seen':
    case 'numbered':
    case 'defined':
      return stored;
  }
}

/** Estimated bytes of a line, to decide when to rewrite without encoding anything twice. */
function sizeOf({ change }: StoredEntry): number {
  const messageBytes = ({ annotations, bare }: StoredMessage): number =>
    LINE_BYTES + annotations.length + bare.length;
  switch (change.kind) {
    case 'added':
      return change.messages.reduce((sum, message) => sum + messageBytes(message), LINE_BYTES);
    case 'dead-lettered':
      return LINE_BYTES + messageBytes(change.message);
    case 'updated':
      return LINE_BYTES + (change.bare?.length ?? 0);
    case 'session-state':
      return LINE_BYTES + (change.state?.length ?? 0);
    case 'seen':
      return LINE_BYTES + change.ids.reduce((sum, [id]) => sum + id.length + 16, 0);
    case 'removed':
    case 'numbered':
    case 'defined':
      return LINE_BYTES;
  }
}

/** The journal of one broker. */
export class QueueJournal {
  readonly #journal: Journal<StoredEntry>;
  readonly #enabled: boolean;
  readonly #snapshot: () => Iterable<QueueEntry>;
  readonly #compactAtBytes: number;
  #bytes = 0;
  #nextCompactionAt: number;

  /**
   * Opens the journal in `dataDir` (absent: nothing is kept) and replays it, oldest first.
   * @param options.snapshot The entries that would build the queues as they are at the moment of the call.
   * @param options.compactAtBytes Smallest size that is rewritten; for tests.
   */
  constructor(options: {
    readonly dataDir: string | undefined;
    readonly replay: (entry: QueueEntry) => void;
    readonly snapshot: () => Iterable<QueueEntry>;
    readonly compactAtBytes?: number;
  }) {
    const { dataDir, replay, snapshot } = options;
    this.#enabled = dataDir !== undefined;
    this.#snapshot = snapshot;
    this.#compactAtBytes = options.compactAtBytes ?? COMPACT_AT_BYTES;
    this.#nextCompactionAt = this.#compactAtBytes;
    const file = dataDir === undefined ? undefined : path.join(dataDir, JOURNAL_FILE);
    this.#journal = Journal.open<StoredEntry>(file, (entry) => {
      this.#bytes += sizeOf(entry);
      replay({ queue: entry.queue, change: loadChange(entry.change) });
    });
  }

  /** Lines in the file. */
  get length(): number {
    return this.#journal.length;
  }

  /** Writes a change down. */
  record({ queue, change }: QueueEntry): void {
    if (!this.#enabled) return;
    const entry: StoredEntry = { queue, change: storeChange(change) };
    this.#bytes += sizeOf(entry);
    this.#journal.append(entry);
  }

  /**
   * Rewrites the file when most of it is about messages that are gone. Call it between changes: the queues are
   * consistent only then.
   */
  compactIfWorthIt(): void {
    if (!this.#enabled || this.#bytes < this.#nextCompactionAt) return;
    this.#bytes = 0;
    this.#journal.compact(this.#storedSnapshot());
    this.#nextCompactionAt = Math.max(this.#compactAtBytes, this.#bytes * COMPACT_RATIO);
  }

  close(): void {
    this.#journal.close();
  }

  *#storedSnapshot(): Generator<StoredEntry> {
    for (const { queue, change } of this.#snapshot()) {
      const entry: StoredEntry = { queue, change: storeChange(change) };
      this.#bytes += sizeOf(entry);
      yield entry;
    }
  }
}
