/** Dead letters of a site by cause: which are meant, and what they are called. Pure. */
import type { Cause } from '../../../../../../src/shared/operations/dead-letter-service.ts';

export interface CauseFilter {
  readonly source?: string | undefined;
  readonly reason?: string | undefined;
  /** What the detail, an id or a key has in it. */
  readonly text?: string | undefined;
}

export function isMeant({ source, reason, detail, ids, keys = [] }: Cause, filter: CauseFilter): boolean {
  const { text = '' } = filter;
  const words = [detail, ...ids, ...keys.map(({ key }) => key)];
  return (
    (filter.source === undefined || filter.source === '' || source === filter.source) &&
    has(reason, filter.reason ?? '') &&
    words.some((word) => has(word, text))
  );
}

function has(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** `3 letters of tandem-in, malformed` */
export function causeText({
  messages,
  source,
  reason,
}: Pick<Cause, 'messages' | 'source' | 'reason'>): string {
  const letters = `${messages.toLocaleString()} ${messages === 1 ? 'letter' : 'letters'}`;
  return `${letters} of ${source === '' ? 'an unknown queue' : source}, ${reason}`;
}

/** A body as people read it; what is no JSON stays as it is. */
export function prettyBody(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** Of what was typed: a whole number from 1 to 1,000; otherwise 50, as the command has it. */
export function rateOf(text: string | undefined): number {
  const rate = Number(text);
  return Number.isInteger(rate) && rate >= 1 && rate <= 1_000 ? rate : 50;
}
