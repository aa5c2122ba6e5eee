/** Opens Blob Storage: a site's own container, or a peer's from anywhere. Modules of its own, so that a bundle without objects has nothing of its SDK. */
import type { TokenCredential } from '@azure/identity';
import {
  AnonymousCredential,
  BlobServiceClient,
  newPipeline,
  type Pipeline,
  type StoragePipelineOptions,
} from '@azure/storage-blob';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { objectTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Objects } from '../../ports/objects.ts';
import { credential } from './credential.ts';
import { BlobObjects } from './objects.ts';

const SCOPE = 'https://storage.azure.com/.default';

interface Access {
  /** Of the account: `https://<account>.blob.core.windows.net`. */
  readonly url: string;
  readonly container: string;
  /** Absent: the app's own. */
  readonly identity?: TokenCredential | undefined;
}

const options: StoragePipelineOptions = {
  retryOptions: {
    maxTries: vendorAttemptsMax,
    tryTimeoutInMs: objectTimeoutMs,
    retryDelayInMs: 100,
    maxRetryDelayInMs: 500,
  },
};

/** @throws TypeError when the configuration names no account. */
export function openObjects({ azure }: Config): Objects {
  const { objectsUrl: url, objectsContainer: container } = azure ?? {};
  if (url === undefined || container === undefined)
    throw new TypeError('TANDEM_OBJECTS_URL and TANDEM_OBJECTS_CONTAINER are needed for objects');
  return openBlobObjects({ url, container });
}

export function openBlobObjects({ url, container, identity = credential() }: Access): Objects {
  const service = url.startsWith('http:')
    ? new BlobServiceClient(url, withoutTls(identity))
    : new BlobServiceClient(url, identity, options);
  return new BlobObjects(service, container);
}

/** The SDK sends a token by TLS only. What has none is on this machine (config-schema.ts). */
function withoutTls(identity: TokenCredential): Pipeline {
  const pipeline = newPipeline(new AnonymousCredential(), options);
  pipeline.factories.push({
    create: (next) => ({
      async sendRequest(request) {
        const token = await identity.getToken(SCOPE);
        if (token === null) throw new UnavailableError('the identity has given no token');
        request.headers.set('authorization', `Bearer ${token.token}`);
        return next.sendRequest(request);
      },
    }),
  });
  return pipeline;
}
