/**
 * What this client has seen and written, as tokens (`X-Tandem-Session`), so that a read at any site shows it, and a write
 * at any site is decided by it.
 *
 * Invariant: of every record that is remembered, the tokens held together include every state that was seen. A token goes
 * only when one that is held includes its state: a read that carried it was answered, or the same site answered a request
 * that began after the token was there. Tokens are opaque: nothing is read from them.
 *
 * A custom route may be about any record, so its calls carry what is newest of all, and what it answers goes with calls about
 * any record. Nobody can say what such a token is included in: it goes when there are newer ones enough.
 */
import {
  sessionBytesMax,
  sessionRecordsMax,
  sessionSeveralMax,
  sessionTokensMax,
  sessionTokensPerRecordMax,
} from './bounds.ts';

/** In place of a path: the tokens that custom routes answered, each by itself. */
const SEVERAL = '*';

interface Held {
  readonly token: string;
  /** The site whose state it names. */
  readonly site: string;
  /** Of the moment when it came. */
  readonly at: number;
}

/** What a request carries, and when it began. */
export interface Carried {
  readonly tokens: readonly string[];
  readonly at: number;
  /** A site of an older release decides a write without its tokens: the answer need not include them. */
  readonly isWrite?: true;
}

export class Session {
  /** Record path → tokens, the record that was used least recently first. */
  readonly #records = new Map<string, readonly Held[]>();
  /** Those of custom routes, the newest first. */
  #several: readonly Held[] = [];
  #moment = 0;

  /**
   * The tokens for a read: those of the record, or for a list those of its records, the newest first. For a write: those of
   * the record that it is about. Behind them those of custom routes.
   * @param path Without query: `/users/ada`, `/users`, `/users/ada/confirm`.
   */
  carry(path: string, isRead: boolean): Carried {
    this.#moment += 1;
    const at = this.#moment;
    const own = this.#records.get(isRead ? path : recordPath(path));
    const found = own === undefined ? this.#newest(isRead ? path : undefined) : [...own, ...this.#several];
    const tokens = withinBounds(found.map(({ token }) => token));
    return { tokens, at, ...(!isRead && { isWrite: true }) };
  }

  /** The tokens for a custom route: the newest of all. */
  carrySeveral(): Carried {
    const tokens = withinBounds(this.#newest('').map(({ token }) => token));
    return { tokens, at: (this.#moment += 1) };
  }

  /** @param path Below which the records are. */
  #newest(path: string | undefined): readonly Held[] {
    const below = [...this.#records]
      .reverse()
      .filter(([key]) => path !== undefined && isBelow(key, path))
      .flatMap(([, held]) => held);
    return [...below, ...this.#several].sort((a, b) => b.at - a.at);
  }

  /** Takes what the answer of a custom route names. */
  keepSeveral({ token, site }: Pick<Held, 'site' | 'token'>): void {
    const named = token.split(',').map((one) => one.trim());
    this.#moment += 1;
    const at = this.#moment;
    const stays = this.#several.filter((one) => !named.includes(one.token));
    this.#several = [...named.reverse().map((one) => ({ token: one, site, at })), ...stays].slice(
      0,
      sessionSeveralMax,
    );
  }

  /** Takes the token of an answer. @param path Of the record that it is about. */
  keep(path: string, { token, site }: Pick<Held, 'site' | 'token'>, { tokens, at, isWrite }: Carried): void {
    const held = this.#records.get(path) ?? [];
    const included = isWrite === true ? [token] : [token, ...tokens];
    const stays = held.filter((one) => !included.includes(one.token) && !(one.site === site && one.at < at));
    this.#moment += 1;
    this.#records.delete(path);
    this.#records.set(
      path,
      [{ token, site, at: this.#moment }, ...stays].slice(0, sessionTokensPerRecordMax),
    );
    const [oldest] = this.#records.keys();
    if (this.#records.size > sessionRecordsMax && oldest !== undefined) this.#records.delete(oldest);
  }

  /** For another process of the same user: `Session.from(JSON.parse(text))`. */
  toJSON(): Readonly<Record<string, readonly string[]>> {
    const all: (readonly [string, readonly Held[]])[] = [...this.#records];
    if (this.#several.length > 0) all.push([SEVERAL, this.#several]);
    return Object.fromEntries(all.map(([path, held]) => [path, held.map(({ token }) => token)]));
  }

  /** @throws TypeError when it is not what `toJSON` gave. */
  static from(saved: Readonly<Record<string, readonly string[]>>): Session {
    const session = new Session();
    for (const [path, tokens] of Object.entries(saved)) {
      const isList = Array.isArray(tokens) && tokens.every((token) => typeof token === 'string');
      if (!isList) throw new TypeError(`the session of ${path} is no list of tokens`);
      // Of which site each is does not cross over: nothing replaces them but a read.
      const held = tokens.map((token) => ({ token, site: '', at: 0 }));
      if (path === SEVERAL) session.#several = held.slice(0, sessionSeveralMax);
      else if (session.#records.size < sessionRecordsMax)
        session.#records.set(path, held.slice(0, sessionTokensPerRecordMax));
    }
    return session;
  }
}

/** The record that a path is about: `/users/ada/confirm` is about `/users/ada`. */
export function recordPath(path: string): string {
  return path.split('/').slice(0, 3).join('/');
}

function isBelow(record: string, list: string): boolean {
  return record.startsWith(`${list}/`);
}

/** Of an older release's JSON one may name several states at once, which count as so many tokens. */
function withinBounds(tokens: readonly string[]): readonly string[] {
  let [count, bytes] = [0, 0];
  return tokens.filter((token) => {
    count += token.split(',').length;
    bytes += token.length + 2;
    return count <= sessionTokensMax && bytes <= sessionBytesMax;
  });
}
