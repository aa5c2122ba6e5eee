/**
 * Requests that may be made again: what was answered to a key within the time in which it is known is answered again.
 *
 * Invariant: within that time one key sends one SMS.
 * @see https://docs.oasis-open.org/odata/repeatable-requests/v1.0/repeatable-requests-v1.0.html
 * @see https://learn.microsoft.com/rest/api/communication/repeatable-requests (written about mail and rooms of the same service)
 */

export const TRACKED_MS = 300_000;
const KEYS_MAX = 10_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** RFC 1123, as `toUTCString` writes it. */
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** What one recipient is answered. */
export interface Result {
  readonly to: string;
  readonly httpStatusCode: number;
  readonly successful: boolean;
  readonly messageId?: string;
  readonly errorMessage?: string;
  readonly repeatabilityResult?: 'accepted' | 'rejected';
}

export interface Key {
  readonly id: unknown;
  readonly firstSent: unknown;
  /** What the request says beside its key: another one under it is refused. */
  readonly content: string;
}

export class Repeats {
  readonly #known = new Map<
    string,
    { readonly content: string; readonly atMs: number; readonly result: Result }
  >();

  /** Runs what was not run under this key. */
  once(key: Key, to: string, { now, run }: { readonly now: number; readonly run: () => Result }): Result {
    const { id, firstSent, content } = key;
    if (id === undefined && firstSent === undefined) return run();
    const rejected = (httpStatusCode: number, errorMessage: string): Result => ({
      ...{ to, httpStatusCode, successful: false, repeatabilityResult: 'rejected', errorMessage },
    });
    if (typeof id !== 'string' || !UUID.test(id))
      return rejected(
        400,
        'Request sent with Invalid value for repeatability-request-id. Expected is a UUID.',
      );
    const sentMs = typeof firstSent === 'string' && DATE.test(firstSent) ? Date.parse(firstSent) : NaN;
    if (Number.isNaN(sentMs))
      return rejected(
        400,
        'Request sent with Invalid DateTime value for repeatability-first-sent. Expected is DateTime ,RFC1123 pattern.',
      );
    if (Math.abs(now - sentMs) > TRACKED_MS)
      return rejected(412, 'Repeatability-First-Sent is not within the 5 minute window.');
    const name = id.toLowerCase();
    const before = this.#known.get(name);
    if (before !== undefined && now - before.atMs <= TRACKED_MS) {
      const isSame = before.content === content;
      return isSame
        ? before.result
        : rejected(400, 'The request does not match the one before with this id.');
    }
    const result: Result = { ...run(), repeatabilityResult: 'accepted' };
    // What has failed at the service is run again.
    if (result.httpStatusCode < 500) this.#known.set(name, { content, atMs: now, result });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEYS_MAX) break;
      this.#known.delete(oldest);
    }
    return result;
  }
}
