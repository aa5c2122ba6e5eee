/** `Prefer: durability=all` (RFC 7240): acknowledge a write only when every peer's durable queue has it. */
import type { HttpReply, HttpRequest } from './route.ts';

const QUOTED = /"([^"]*)"/g;
const SEPARATORS = /[,;=\s]/g;

/**
 * The answer to a write that stands: `Preference-Applied` when `confirm` says that every peer's queue has accepted
 * it, 202 when they have not (yet). Without the preference nothing is asked.
 */
export async function withDurability(
  request: HttpRequest,
  reply: HttpReply,
  confirm: () => Promise<boolean>,
): Promise<HttpReply> {
  if (preference(request.headers['prefer'], 'durability') !== 'all') return reply;
  if (!(await confirm())) return { ...reply, status: 202 };
  return { ...reply, headers: { ...reply.headers, 'preference-applied': 'durability=all' } };
}

/** The value of a preference in lower case; of one that is given twice the first (RFC 7240, section 2). */
export function preference(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const unquoted = header.replace(QUOTED, (_, text: string) => text.replace(SEPARATORS, '_'));
  for (const entry of unquoted.toLowerCase().split(',')) {
    const [token = '', value = ''] = (entry.split(';')[0] ?? '').split('=');
    if (token.trim() === name) return value.trim();
  }
  return undefined;
}
