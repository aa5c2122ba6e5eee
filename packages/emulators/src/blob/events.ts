/**
 * What happened to blobs, as Event Grid sends it to a queue of Service Bus: one event a message, at least once.
 *
 * Invariant: an event is in the journal with the change that it is about, and leaves it when the queue has accepted it; so
 * a kill, or a queue that cannot be reached, delays it and loses nothing.
 * @see https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
 * @see https://learn.microsoft.com/azure/event-grid/handler-service-bus
 */
import { randomUUID } from 'node:crypto';
import type { Call } from './call.ts';
import { header } from './call.ts';
import type { BlobVersion } from './model.ts';

export interface BlobEvent {
  readonly topic: string;
  readonly subject: string;
  readonly eventType: 'Microsoft.Storage.BlobCreated' | 'Microsoft.Storage.BlobDeleted';
  readonly eventTime: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataVersion: '';
  readonly metadataVersion: '1';
}

const SUBSCRIPTION = '/subscriptions/00000000-0000-0000-0000-000000000000';

/** @param api As the page names operations: `PutBlob`, `PutBlockList`, `CopyBlob`, `DeleteBlob`. */
export function blobEvent(
  eventType: BlobEvent['eventType'],
  {
    call,
    api,
    version,
    atMs,
  }: { readonly call: Call; readonly api: string; readonly version: BlobVersion; readonly atMs: number },
): BlobEvent {
  const { account, container, blob, base } = call;
  const clientRequestId = header(call, 'x-ms-client-request-id');
  return {
    topic: `${SUBSCRIPTION}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/${account}`,
    subject: `/blobServices/default/containers/${container}/blobs/${blob}`,
    eventType,
    eventTime: new Date(atMs).toISOString(),
    id: randomUUID(),
    data: {
      api,
      ...(clientRequestId !== undefined && { clientRequestId }),
      requestId: randomUUID(),
      eTag: version.etag,
      contentType: version.headers.contentType,
      ...(eventType === 'Microsoft.Storage.BlobCreated' && { contentLength: version.bytes }),
      blobType: 'BlockBlob',
      url: `${base}/${container}/${blob.split('/').map(encodeURIComponent).join('/')}`,
      // Strings of the same length compare as the writes of one blob followed each other.
      sequencer: version.id.replaceAll(/\D/g, '').padStart(32, '0'),
      storageDiagnostics: { batchId: randomUUID() },
    },
    dataVersion: '',
    metadataVersion: '1',
  };
}
