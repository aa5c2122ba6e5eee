/**
 * The SMS that were sent, for people and for tests. Several emulators may have one box.
 *
 * Invariant: no more than `SMS_MAX` are kept, the newest; how many had to go is known.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Encoding, partsOf } from './encoding.ts';

export const SMS_MAX = 500;
export const SMS_PATH = '/_tandem/sms';

export interface Sms {
  readonly id: number;
  /** The service that took it. */
  readonly service: string;
  /** A number or a sender id; empty: the service's own choice. */
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly encoding: Encoding;
  /** SMS that it is. */
  readonly parts: number;
  /** Of the first copy, as the service named it. */
  readonly messageId: string;
  /** What else was said of it. */
  readonly attributes: Readonly<Record<string, string>>;
  /** When the first copy came, ISO 8601. */
  readonly at: string;
  /** How often a phone gets it: the same text from the same sender by the same service. */
  readonly copies: number;
}

export interface ReceivedSms extends Pick<
  Sms,
  'service' | 'from' | 'to' | 'text' | 'messageId' | 'attributes'
> {
  readonly atMs: number;
}

export class SmsBox {
  /** The oldest first. */
  readonly #kept = new Map<string, Sms>();
  #next = 1;
  /** SMS that went, so that newer ones had room. */
  dropped = 0;

  /** The newest first. @param to Of this recipient alone. */
  all(to?: string): readonly Sms[] {
    const newest = [...this.#kept.values()].reverse();
    return to === undefined ? newest : newest.filter((sms) => sms.to === to);
  }

  clear(): void {
    this.#kept.clear();
    this.dropped = 0;
  }

  add({ atMs, ...received }: ReceivedSms): Sms {
    const { service, from, to, text } = received;
    const key = JSON.stringify([service, from, to, text]);
    const before = this.#kept.get(key);
    const sms: Sms =
      before === undefined
        ? { id: this.#next++, ...received, ...partsOf(text), at: new Date(atMs).toISOString(), copies: 1 }
        : { ...before, copies: before.copies + 1 };
    this.#kept.set(key, sms);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= SMS_MAX) break;
      this.#kept.delete(oldest);
      this.dropped += 1;
    }
    return sms;
  }
}

/** Answers `GET` and `DELETE /_tandem/sms`; false when the request is for something else. */
export function handleSmsBox(request: IncomingMessage, response: ServerResponse, box: SmsBox): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (pathname !== SMS_PATH) return false;
  const json = (status: number, body: unknown): void => {
    response
      .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify(body));
  };
  if (request.method === 'GET')
    // A plus in a query is a blank, and no number has one.
    json(200, { items: box.all(searchParams.get('to')?.replace(/^ /, '+')), dropped: box.dropped });
  else if (request.method === 'DELETE') {
    box.clear();
    json(200, { items: [], dropped: 0 });
  } else {
    response.setHeader('allow', 'GET, DELETE');
    json(405, { message: `${request.method ?? ''} is not supported here` });
  }
  return true;
}
