/** A record that is written by the API, as any client would. */
import { setTimeout as delay } from 'node:timers/promises';

export const REQUEST_TIMEOUT_MS = 10_000;
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 300;

interface Post {
  readonly url: URL;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: string | undefined;
}

export function authorization(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** False when it exists. A repeated attempt is harmless: the ids are fixed, or derive from the same key. */
export async function create(request: Post, name: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const { status, detail } = await post(request);
    if (status === 200 || status === 201) return true;
    // 409: a record with this id; 412: If-None-Match refused to replace an item.
    if (status === 409 || status === 412) return false;
    const passing = status === undefined || status >= 500 || status === 429;
    if (!passing || attempt === ATTEMPTS_MAX) throw new Error(`${name}: ${detail}`);
    await delay(PAUSE_MS);
  }
}

async function post({
  url,
  body,
  token,
  headers,
}: Post): Promise<{ status: number | undefined; detail: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // Of what is known by its id; what has a key is found by that.
        ...(headers['idempotency-key'] === undefined && { 'if-none-match': '*' }),
        ...authorization(token),
        ...headers,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, detail: `HTTP ${response.status} ${await response.text()}` };
  } catch (error) {
    return { status: undefined, detail: error instanceof Error ? error.message : String(error) };
  }
}
