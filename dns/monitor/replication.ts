/** The operator API of a site, as far as runbooks need it: pauses of replication to a peer (openapi.yaml). */
import { TrafficError } from '../errors.ts';

/** Longer than API Gateway waits for a function; a resumed direction sends what has gathered first. */
const ANSWER_WITHIN_MS = 30_000;

interface SiteAccess {
  readonly url: string;
  readonly operatorKey: string;
}

/** Whether it was sending until now. @throws TrafficError */
export async function pause(access: SiteAccess, peer: string): Promise<boolean> {
  const { pauses } = (await query(access, 'GET', 'pauses')) as {
    pauses: { peer: string; paused: boolean }[];
  };
  if (pauses.some((one) => one.peer === peer && one.paused)) return false;
  await query(access, 'PUT', `pauses/${encodeURIComponent(peer)}`);
  return true;
}

/** How many keys were sent at once. @throws TrafficError when the peer does not take them. */
export async function resume(access: SiteAccess, peer: string): Promise<number> {
  const { sent } = (await query(access, 'DELETE', `pauses/${encodeURIComponent(peer)}`)) as {
    sent?: { keys: number; problem?: string };
  };
  if (sent?.problem !== undefined) throw new TrafficError(`${peer} does not take it: ${sent.problem}`);
  return sent?.keys ?? 0;
}

async function query({ url, operatorKey }: SiteAccess, method: string, path: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(new URL(`/replication/${path}`, url), {
      method,
      headers: { authorization: `Bearer ${operatorKey}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  } catch (cause) {
    throw new TrafficError('the operator API does not answer', { cause });
  }
  const value = (await response.json().catch(() => ({}))) as { detail?: string };
  if (response.ok) return value;
  throw new TrafficError(value.detail ?? `the operator API answers ${response.status}`);
}
