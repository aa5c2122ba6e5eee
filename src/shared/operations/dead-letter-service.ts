/**
 * What an operator does with dead letters: sees why they are there, sends them back to where they came from, or
 * discards them.
 *
 * Invariant: a replayed letter is removed only after its queue has accepted it, so dying in between sends it twice
 * and never loses it; and twice is harmless, because applying and forwarding are idempotent.
 */
import type { QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import { deadLetterIdsMax, deadLetterScansMax, deadLetterSettlesMax } from '../bounds.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import type { DeadLetter, DeadLetterBox, Sample } from '../ports/dead-letter-box.ts';

/** Letters of one queue that are there for one reason. */
export interface Cause {
  readonly source: string;
  readonly reason: string;
  readonly messages: number;
  /** What the newest of them says. */
  readonly detail: string;
  /** RFC 3339. */
  readonly oldest: string;
  readonly newest: string;
  /** The first few of them. */
  readonly ids: readonly string[];
  /** The first few records that they are about, each with what the message says of it. A release before has none. */
  readonly keys?: readonly { readonly key: string; readonly detail: string }[];
}

export interface Causes extends Sample {
  readonly causes: readonly Cause[];
}

/** Which letters are meant: those that match every part that is given. */
export interface Selection {
  readonly ids?: readonly string[] | undefined;
  readonly source?: string | undefined;
  readonly reason?: string | undefined;
  /** Set aside before this moment, RFC 3339: one that comes back is not met again. */
  readonly before?: string | undefined;
  /** How many at most; `letterSettlesMax` by default, which is also the most. */
  readonly limit?: number | undefined;
}

export interface Settled extends Sample {
  /** Letters that were meant. */
  readonly matched: number;
  /** Letters that were replayed or discarded, or would have been in a dry run. */
  readonly settled: number;
  /** Letters that are still there, and why. */
  readonly failed: readonly { readonly id: string; readonly detail: string }[];
}

export class DeadLetterService {
  readonly #box: DeadLetterBox;
  readonly #sources: ReadonlyMap<string, QueueSender>;

  /** @param sources The queues that letters come from, by name. */
  constructor(box: DeadLetterBox, sources: ReadonlyMap<string, QueueSender>) {
    this.#box = box;
    this.#sources = sources;
  }

  /** Why letters are there, the most frequent cause first. */
  async causes(): Promise<Causes> {
    const found = new Map<string, Cause>();
    const scan = await this.#box.scan(deadLetterScansMax, (messages) => {
      for (const message of messages) {
        const name = `${message.source} ${message.reason}`;
        found.set(name, withDeadLetter(found.get(name), message));
      }
    });
    return { ...scan, causes: [...found.values()].sort((a, b) => b.messages - a.messages) };
  }

  /** One letter with its body. @throws NotFoundError when it is not among those that can be looked at. */
  async show(id: string): Promise<DeadLetter> {
    let found: DeadLetter | undefined;
    const scan = await this.#box.scan(deadLetterScansMax, (messages) => {
      found ??= messages.find((message) => message.id === id);
    });
    if (found !== undefined) return found;
    throw new NotFoundError(
      scan.atLeast
        ? `dead letter ${id} is not among the ${scan.scanned} that were looked at; there are more`
        : `dead letter ${id} does not exist`,
    );
  }

  /** Counts what a replay or a discard would settle, and touches nothing. */
  async preview(selection: Selection): Promise<Settled> {
    const meant = matcher(selection);
    let matched = 0;
    const scan = await this.#box.scan(deadLetterScansMax, (messages) => {
      matched += messages.filter(meant).length;
    });
    return { ...scan, matched, settled: Math.min(matched, limitOf(selection)), failed: [] };
  }

  /**
   * Sends letters back to the queues that they came from, then removes them.
   * @param body In place of the letter's own; for one letter only.
   * @throws ConflictError when the letter whose body is to be replaced is not there
   */
  async replay(selection: Selection, body?: string): Promise<Settled> {
    const report = await this.#settle(selection, (messages) => this.#sendBack(messages, body));
    if (body !== undefined && report.matched === 0) {
      throw new ConflictError('the dead letter whose body was edited is no longer there');
    }
    return report;
  }

  /** Removes letters for good. */
  discard(selection: Selection): Promise<Settled> {
    return this.#settle(selection, (messages) => Promise.resolve(messages.map(() => undefined)));
  }

  /** Removes for good those that are meant by what they say; as many as one look sees. */
  async discardThose(isMeant: (letter: DeadLetter) => boolean): Promise<Omit<Settled, 'failed'>> {
    let settled = 0;
    const scan = await this.#box.settle(deadLetterScansMax, (page) => {
      const remove = new Set(page.filter(isMeant).map(({ id }) => id));
      settled += remove.size;
      return Promise.resolve({ remove, goOn: true });
    });
    return { ...scan, matched: settled, settled };
  }

  async #settle(
    selection: Selection,
    act: (messages: readonly DeadLetter[]) => Promise<readonly SendResult[]>,
  ): Promise<Settled> {
    const meant = matcher(selection);
    const limit = limitOf(selection);
    const failed: { id: string; detail: string }[] = [];
    let matched = 0;
    let settled = 0;
    const scan = await this.#box.settle(deadLetterScansMax, async (page) => {
      const messages = page.filter(meant).slice(0, limit - matched);
      matched += messages.length;
      const results = await act(messages);
      const remove = new Set<string>();
      messages.forEach(({ id }, i) => {
        const error = results[i];
        if (error === undefined) remove.add(id);
        else failed.push({ id, detail: error.message });
      });
      settled += remove.size;
      return { remove, goOn: matched < limit };
    });
    return { ...scan, matched, settled, failed };
  }

  async #sendBack(messages: readonly DeadLetter[], body: string | undefined): Promise<readonly SendResult[]> {
    const results: SendResult[] = messages.map(
      ({ source }) => new Error(`'${source}' is no queue of this site, so it cannot be sent back`),
    );
    for (const [source, queue] of this.#sources) {
      const indexes = messages.flatMap((message, i) => (message.source === source ? [i] : []));
      if (indexes.length === 0) continue;
      const sent = await queue.send(
        indexes.map((index) => ({ id: String(index), body: body ?? messages[index]?.body ?? '' })),
      );
      indexes.forEach((index, position) => {
        results[index] = sent[position];
      });
    }
    return results;
  }
}

function withDeadLetter(cause: Cause | undefined, message: DeadLetter): Cause {
  const { id, source, reason, detail, atMs } = message;
  const at = new Date(atMs).toISOString();
  const keys = withKey(cause?.keys ?? [], message);
  if (cause === undefined) {
    return { source, reason, messages: 1, detail, oldest: at, newest: at, ids: [id], keys };
  }
  const isNewest = at > cause.newest;
  return {
    ...cause,
    messages: cause.messages + 1,
    detail: isNewest ? detail : cause.detail,
    oldest: at < cause.oldest ? at : cause.oldest,
    newest: isNewest ? at : cause.newest,
    ids: cause.ids.length < deadLetterIdsMax ? [...cause.ids, id] : cause.ids,
    keys,
  };
}

/** Bodies are read only until enough keys are known: they can be large. What is no event names none. */
function withKey(
  known: NonNullable<Cause['keys']>,
  { body, detail }: DeadLetter,
): NonNullable<Cause['keys']> {
  if (known.length >= deadLetterIdsMax) return known;
  try {
    const { key } = JSON.parse(body) as { readonly key?: unknown };
    if (typeof key !== 'string' || known.some((each) => each.key === key)) return known;
    return [...known, { key, detail }];
  } catch {
    return known;
  }
}

function limitOf({ limit = deadLetterSettlesMax, ids }: Selection): number {
  return Math.min(limit, deadLetterSettlesMax, ids?.length ?? Infinity);
}

function matcher({ ids, source, reason, before }: Selection): (message: DeadLetter) => boolean {
  const named = ids && new Set(ids);
  const beforeMs = before === undefined ? Infinity : Date.parse(before);
  return (message) =>
    named?.has(message.id) !== false &&
    (source === undefined || message.source === source) &&
    (reason === undefined || message.reason === reason) &&
    message.atMs < beforeMs;
}
