/** Opens S3: a site's own bucket, or a peer's from anywhere. Modules of its own, so that a bundle without objects has nothing of its SDK. */
import { S3Client } from '@aws-sdk/client-s3';
import { objectTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Objects } from '../../ports/objects.ts';
import type { RoleCredentials } from './credential.ts';
import { S3Objects } from './objects.ts';

interface Access {
  readonly region: string;
  readonly bucket: string;
  readonly endpoint?: string | undefined;
  /** Absent: what the SDK finds in the environment, as the role of a Lambda function. */
  readonly credentials?: (() => Promise<Omit<RoleCredentials, 'sessionToken' | 'expiration'>>) | undefined;
}

/** @throws TypeError when the configuration names no bucket. */
export function openObjects({ region, aws }: Config): Objects {
  if (aws?.objectsBucket === undefined) throw new TypeError('TANDEM_OBJECTS_BUCKET is needed for objects');
  return openS3Objects({ region, bucket: aws.objectsBucket });
}

export function openS3Objects({ region, bucket, endpoint, credentials }: Access): Objects {
  const client = new S3Client({
    region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: {
      requestTimeout: objectTimeoutMs,
      throwOnRequestTimeout: true,
      connectionTimeout: 1_000,
    },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  });
  return new S3Objects(client, bucket);
}
