/**
 * Sends spans, or lines of a log, to a collector, as `OtlpClient` does.
 *
 * Invariant: memory holds `bufferedMax` of them, the newest. Each has an id, by which one that comes twice is one, so what was
 * not answered is sent again.
 */
import { OtlpClient, type OtlpTarget } from './otlp-client.ts';

export interface OtlpSenderOptions<Item> extends OtlpTarget {
  readonly signal: 'traces' | 'logs' | 'central logs';
  readonly encode: (items: readonly Item[]) => string;
  /** How many wait in memory while the collector takes none, and how many one request to it has. */
  readonly bufferedMax: number;
  readonly sendMax: number;
  /** And of how many bytes, where the collector has a limit; each item has fewer. */
  readonly sendBytesMax?: number;
  readonly bytesOf?: (item: Item) => number;
}

export class OtlpSender<Item> {
  readonly #options: OtlpSenderOptions<Item>;
  readonly #client: OtlpClient;
  #buffered: Item[] = [];
  #dropped = 0;

  constructor(options: OtlpSenderOptions<Item>) {
    this.#options = options;
    this.#client = new OtlpClient(options, options.signal, () => {
      const dropped = this.#dropped;
      this.#dropped = 0;
      return { waiting: this.#buffered.length, dropped };
    });
  }

  /** How many wait to be sent. */
  get buffered(): number {
    return this.#buffered.length;
  }

  add(items: readonly Item[]): void {
    if (items.length === 0) return;
    this.#buffered.push(...items);
    const excess = this.#buffered.length - this.#options.bufferedMax;
    if (excess <= 0) return;
    this.#buffered.splice(0, excess);
    this.#dropped += excess;
  }

  /** Sends what waits, in this time. What a collector does not take for a passing reason waits on. */
  async flush(withinMs: number): Promise<void> {
    const { elapsed, encode } = this.#options;
    const endsAtMs = elapsed() + withinMs;
    while (this.#buffered.length > 0) {
      const leftMs = Math.floor(endsAtMs - elapsed());
      if (leftMs < 1 || !this.#client.mayPost()) return;
      const items = this.#buffered.splice(0, this.#fitting());
      const isTaken = await this.#client.post(encode(items), leftMs, (failure) => {
        if (failure === 'refused') this.#dropped += items.length;
        else this.#putBack(items);
      });
      if (!isTaken) return;
    }
  }

  /** How many of the oldest go into one request. */
  #fitting(): number {
    const { sendMax, sendBytesMax = Infinity, bytesOf = () => 0 } = this.#options;
    let bytes = 0;
    const over = this.#buffered.findIndex((item, index) => {
      bytes += bytesOf(item);
      return index > 0 && bytes > sendBytesMax;
    });
    return Math.min(sendMax, over < 0 ? this.#buffered.length : over);
  }

  #putBack(items: readonly Item[]): void {
    const newer = this.#buffered;
    this.#buffered = [];
    this.add([...items, ...newer]);
  }
}
