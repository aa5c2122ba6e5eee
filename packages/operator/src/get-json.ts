/** A question to a site over HTTP, and in a few words why it has no answer. */

/** Longer than a handler's own bounds on its store, so that a 503 is heard as such. */
const RESPONSE_WITHIN_MS = 5_000;

/** @throws Error that says in a few words why there is no answer. */
export async function getJson(url: URL): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_WITHIN_MS) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
  return JSON.parse(text) as unknown;
}

/** In a few words; `fetch` hides the reason in the cause. */
export function explain(error: unknown): string {
  const { name, message, cause } = error as Partial<
    Error & { cause: { name?: string; code?: unknown; message?: string } }
  >;
  if (name === 'TimeoutError') return `no answer within ${RESPONSE_WITHIN_MS / 1000} s`;
  if (name === 'SyntaxError') return 'the answer is not JSON';
  // Its code is a number that nobody knows: https://webidl.spec.whatwg.org/#timeouterror
  if (cause?.name === 'TimeoutError') return 'no answer in time';
  if (cause?.code === 'ECONNREFUSED') return 'connection refused';
  return (
    (typeof cause?.code === 'string' ? cause.code : undefined) ?? cause?.message ?? message ?? String(error)
  );
}
