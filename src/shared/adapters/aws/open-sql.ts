/** `#sql` on AWS: the token that opens a database of RDS, for the role of this function. */
import fs from 'node:fs';
import { rootCertificates } from 'node:tls';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { sqlTokenSeconds } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import { openSqs } from './open-queue.ts';

/** Where Lambda has the roots of AWS's own services, RDS among them, which Node has not. */
const OF_LAMBDA = '/var/runtime/ca-cert.pem';

/**
 * Whom the database's certificate may be from; undefined: whoever Node trusts.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
export function sqlRoots(): readonly string[] | undefined {
  return fs.existsSync(OF_LAMBDA) ? [...rootCertificates, fs.readFileSync(OF_LAMBDA, 'utf8')] : undefined;
}

/**
 * A signed request that is never sent: the database checks the signature.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export async function sqlToken({ region }: Config, url: string): Promise<string> {
  const { hostname, port, username } = new URL(url);
  const signer = new SignatureV4({
    // Of the function's role, from the SDK's own chain.
    credentials: openSqs({ region }).config.credentials,
    region,
    service: 'rds-db',
    sha256: Sha256,
  });
  const host = `${hostname}:${port === '' ? '5432' : port}`;
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'connect', DBUser: decodeURIComponent(username) },
      headers: { host },
    },
    { expiresIn: sqlTokenSeconds },
  );
  const text = Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
  return `${host}/?${text}`;
}
