/** `#sql` on Azure: the token that opens a database of PostgreSQL, for the identity of this app. */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { Config } from '../../config/config.ts';
import { credential } from './credential.ts';

/** Of authorities that Node trusts. */
export function sqlRoots(): readonly string[] | undefined {
  return undefined;
}

/** @see https://learn.microsoft.com/azure/postgresql/flexible-server/security-entra-configure */
const SCOPE = 'https://ossrdbms-aad.database.windows.net/.default';

export async function sqlToken(_config: Config, _url: string): Promise<string> {
  const token = await credential().getToken(SCOPE);
  if (token === null) throw new UnavailableError('the identity has given no token');
  return token.token;
}
