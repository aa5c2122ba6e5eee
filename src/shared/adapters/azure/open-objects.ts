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
import { credential, STORAGE_SCOPE } from './credential.ts';
import { BlobObjects } from './objects.ts';

interface Access {
  /** Of the account: `https://<account>.blob.core.windows.net`. Needed without a connection string. */
  readonly url?: string | undefined;
  /** With the account's key, which only an emulator's is used with: then nobody is signed in, and no URL can be signed. */
  readonly connectionString?: string | undefined;
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

/** @throws TypeError when neither a URL nor a connection string is given. */
export function openBlobObjects({ container, ...access }: Access): Objects {
  return new BlobObjects(serviceOf(access), container);
}

function serviceOf({ url, connectionString, identity }: Omit<Access, 'container'>): BlobServiceClient {
  if (connectionString !== undefined)
    return BlobServiceClient.fromConnectionString(connectionString, options);
  if (url === undefined) throw new TypeError('Blob Storage: neither a URL nor a connection string');
  const signIn = identity ?? credential();
  return url.startsWith('http:')
    ? new BlobServiceClient(url, withoutTls(signIn))
    : new BlobServiceClient(url, signIn, options);
}

/** The SDK sends a token by TLS only. What has none is on this machine (config-schema.ts). */
function withoutTls(identity: TokenCredential): Pipeline {
  const pipeline = newPipeline(new AnonymousCredential(), options);
  pipeline.factories.push({
    create: (next) => ({
      async sendRequest(request) {
        const token = await identity.getToken(STORAGE_SCOPE);
        if (token === null) throw new UnavailableError('the identity has given no token');
        request.headers.set('authorization', `Bearer ${token.token}`);
        return next.sendRequest(request);
      },
    }),
  });
  return pipeline;
}
