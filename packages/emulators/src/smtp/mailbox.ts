/**
 * What was sent, for people and for tests.
 *
 * Invariant: no more than `MAILS_MAX` mails and `BYTES_MAX` bytes of them are kept, the newest; how many had to go is known.
 */
import PostalMime from 'postal-mime';

export const MAILS_MAX = 500;
export const BYTES_MAX = 32 * 1024 * 1024;

/** A mail, with all copies of it: those that have one Message-ID and one recipient. */
export interface Mail {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
  readonly text: string;
  readonly html: string;
  /** Lower-case name → value, of all others. */
  readonly headers: Readonly<Record<string, string>>;
  /** When the first copy came, ISO 8601. */
  readonly at: string;
  /** How often it came. */
  readonly copies: number;
}

export interface Received {
  readonly from: string;
  readonly to: string;
  readonly raw: Buffer;
  readonly atMs: number;
}

interface Kept {
  readonly mail: Mail;
  readonly bytes: number;
}

export class Mailbox {
  /** By recipient and Message-ID, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #next = 1;
  /** Mails that went, so that newer ones had room. */
  dropped = 0;

  /** The newest first. @param to Of these recipients alone. */
  mails(to?: string): readonly Mail[] {
    const all = [...this.#kept.values()].map(({ mail }) => mail).reverse();
    return to === undefined ? all : all.filter((mail) => mail.to.toLowerCase() === to.toLowerCase());
  }

  find(id: number): Mail | undefined {
    return this.mails().find((mail) => mail.id === id);
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
    this.dropped = 0;
  }

  async add({ from, to, raw, atMs }: Received): Promise<Mail> {
    const parsed = await PostalMime.parse(raw);
    const { subject = '', messageId = '', text = '', html = '' } = parsed;
    const key = JSON.stringify([to, messageId === '' ? this.#next : messageId]);
    const before = this.#kept.get(key);
    const headers = Object.fromEntries(parsed.headers.map((header) => [header.key, header.value]));
    const mail: Mail = {
      id: before?.mail.id ?? this.#next++,
      ...{ from, to, subject, messageId, text, html, headers },
      at: before?.mail.at ?? new Date(atMs).toISOString(),
      copies: (before?.mail.copies ?? 0) + 1,
    };
    this.#kept.set(key, { mail, bytes: raw.length });
    this.#bytes += raw.length - (before?.bytes ?? 0);
    this.#makeRoom();
    return mail;
  }

  #makeRoom(): void {
    for (const [key, { bytes }] of this.#kept) {
      if (this.#kept.size <= MAILS_MAX && this.#bytes <= BYTES_MAX) return;
      this.#kept.delete(key);
      this.#bytes -= bytes;
      this.dropped += 1;
    }
  }
}
