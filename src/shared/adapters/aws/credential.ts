/**
 * Identity across clouds, the AWS side: what a stranger assumes a role with, and how AWS vouches for this function.
 * No stored secret either way.
 */
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetWebIdentityTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import {
  queueTimeoutMs,
  roleSessionSeconds,
  vendorAttemptsMax,
  webIdentityTokenSeconds,
} from '../../bounds.ts';
import type { Dated } from '../../keep-fresh.ts';

/** What the AWS SDK signs with; with `expiration` it asks again before the end. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/**
 * Assumes a role with a token of an identity provider that the role trusts. The call itself is not signed, so it
 * needs no AWS credentials, and it goes to the peer's own region: another region's outage does not matter.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function assumeRole(options: {
  roleArn: string;
  region: string;
  token: string;
}): Promise<Dated<RoleCredentials>> {
  const { Credentials: given } = await withSts(options.region, (sts) =>
    sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: options.roleArn,
        RoleSessionName: 'tandem',
        WebIdentityToken: options.token,
        DurationSeconds: roleSessionSeconds,
      }),
    ),
  );
  const value = complete(given);
  return { value, expiresAtMs: value.expiration.getTime() };
}

function complete(given: Credentials | undefined): RoleCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
    throw new UnavailableError('STS: the answer holds no complete credentials');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

/**
 * A token that says which role this function has (`sub` is the role's ARN), signed by AWS. STS gives it at regional
 * endpoints only, and only in an account that has outbound identity federation switched on. Entra reads RS256.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
 */
export async function webIdentityToken(audience: string, credentials?: RoleCredentials): Promise<string> {
  // The region is Lambda's own (AWS_REGION).
  const { WebIdentityToken } = await withSts(
    undefined,
    (sts) =>
      sts.send(
        new GetWebIdentityTokenCommand({
          Audience: [audience],
          SigningAlgorithm: 'RS256',
          DurationSeconds: webIdentityTokenSeconds,
        }),
      ),
    credentials,
  );
  if (!WebIdentityToken) throw new UnavailableError('STS: the answer holds no token');
  return WebIdentityToken;
}

/** The same, about a role that this function may take. */
export async function roleIdentityToken(roleArn: string, audience: string): Promise<string> {
  const { Credentials: given } = await withSts(undefined, (sts) =>
    sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: 'tandem',
        DurationSeconds: roleSessionSeconds,
      }),
    ),
  );
  return webIdentityToken(audience, complete(given));
}

/** A client for one call: they are an hour apart. */
async function withSts<T>(
  region: string | undefined,
  call: (sts: STSClient) => Promise<T>,
  credentials?: RoleCredentials,
): Promise<T> {
  const sts = new STSClient({
    ...(credentials !== undefined && { credentials }),
    maxAttempts: vendorAttemptsMax,
    requestHandler: { requestTimeout: queueTimeoutMs, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    ...(region !== undefined && { region }),
  });
  try {
    return await call(sts);
  } finally {
    sts.destroy();
  }
}
