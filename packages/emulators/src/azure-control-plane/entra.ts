/**
 * The token endpoint: exchanges the assertion of a pipeline (workload identity federation) for an access token.
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
import type { Request, Response } from './http.ts';

export interface Login {
  readonly tenant: string;
  readonly client: string;
  /** The assertion that is accepted, and the token that is given for it. */
  readonly assertion: string;
  readonly token: string;
}

const SCOPE = 'https://management.azure.com/.default';
const FEDERATED = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export function respondToLogin({ method, host, path, body }: Request, login: Login): Response {
  const authority = `https://${host}/${login.tenant}`;
  if (path.endsWith('/discovery/instance')) {
    const metadata = [{ preferred_network: host, preferred_cache: host, aliases: [host] }];
    const tenant_discovery_endpoint = `${authority}/v2.0/.well-known/openid-configuration`;
    return { status: 200, body: { tenant_discovery_endpoint, 'api-version': '1.1', metadata } };
  }
  if (path.endsWith('/.well-known/openid-configuration')) {
    const endpoints = { token_endpoint: `${authority}/oauth2/v2.0/token`, jwks_uri: `${authority}/keys` };
    return {
      status: 200,
      body: { issuer: authority, authorization_endpoint: `${authority}/authorize`, ...endpoints },
    };
  }
  if (method !== 'POST' || path !== `/${login.tenant}/oauth2/v2.0/token`) return { status: 404 };
  const form = new URLSearchParams(body.toString());
  const mistakes = Object.entries({
    grant_type: 'client_credentials',
    client_id: login.client,
    client_assertion_type: FEDERATED,
  }).filter(([name, value]) => form.get(name) !== value);
  if (mistakes.length > 0 || form.get('scope')?.split(' ').includes(SCOPE) !== true) {
    return refusal('invalid_request', `AADSTS900144: ${mistakes.map(([name]) => name).join(', ')}, scope`);
  }
  if (form.get('client_assertion') !== login.assertion) {
    return refusal('invalid_client', 'AADSTS700024: Client assertion is not within its valid time range.');
  }
  return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, access_token: login.token } };
}

function refusal(error: string, description: string): Response {
  return { status: 400, body: { error, error_description: description, error_codes: [700024] } };
}
