/** A token of the local issuer, for commands and tests. */
import { TOKEN_PATH } from './protocol.ts';

/** @param scope Absent: to read and to write. @throws Error when the issuer does not give one. */
export async function queryToken(issuerUrl: string, scope?: string): Promise<string> {
  const response = await fetch(issuerUrl + TOKEN_PATH, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`the issuer answers HTTP ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}
