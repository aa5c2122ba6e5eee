/**
 * What the errors of Cosmos DB, Service Bus and Blob Storage mean, by their statuses and codes.
 *
 * Invariant: an error that is about the request (a status of 4xx, an AMQP error that the SDK does not retry) is permanent
 * unless it is in here. What is in here passes with time, or when an operator has mended the account: a right, a firewall, a
 * quota, a container, an account or a queue. None of that is about a key or a message, so it must not dead-letter one.
 */
import type { Meaning } from '../vendor-error.ts';

/**
 * 401 and 403: a key, a role, a token that has run out, a firewall, a quota. 404: of a whole request, the container is not there.
 * 423: the container is being scaled. 424: not tried, because of another operation. 429: throttled. 408, 410, 449 and
 * 500: it may have happened.
 * @see https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
 * @see https://learn.microsoft.com/azure/cosmos-db/conceptual-resilient-sdk-applications#should-my-application-retry-on-errors
 */
const COSMOS: Readonly<Record<number, Meaning>> = {
  401: 'passes',
  403: 'passes',
  404: 'passes',
  408: 'ambiguous',
  410: 'ambiguous',
  413: 'too_large',
  423: 'passes',
  424: 'passes',
  429: 'throttled',
  449: 'ambiguous',
  500: 'ambiguous',
};

/** What a status of Cosmos DB means that is no success. */
export function meaningOfStatus(status: number): Meaning {
  return COSMOS[status] ?? (status >= 400 && status < 500 ? 'refused' : 'passes');
}

/**
 * Codes of Blob Storage whose status does not say it. A digest that does not fit was damaged on the way: what we announce is
 * computed from what we send.
 * @see https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 * @see https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
 */
const BLOB: Readonly<Record<string, Meaning>> = {
  AccountBeingCreated: 'passes',
  BlobArchived: 'passes',
  BlobBeingRehydrated: 'passes',
  ContainerBeingDeleted: 'passes',
  ContainerDisabled: 'passes',
  Crc64Mismatch: 'passes',
  LeaseIdMissing: 'passes',
  Md5Mismatch: 'passes',
  ServerBusy: 'throttled',
};
const BLOB_STATUS: Readonly<Record<number, Meaning>> = {
  401: 'passes',
  403: 'passes',
  404: 'passes',
  408: 'ambiguous',
  413: 'too_large',
  429: 'throttled',
  503: 'throttled',
};

/** What an error of Blob Storage means. @param code Of `x-ms-error-code`; undefined where the answer has none. */
export function meaningOfBlob(status: number, code: string | undefined): Meaning {
  const known = code === undefined ? undefined : BLOB[code];
  return known ?? BLOB_STATUS[status] ?? (status >= 500 ? 'ambiguous' : 'refused');
}

/**
 * 401, 403 and 404: a role, a token, a number that is not the resource's, a resource that is not there. 409 and 412: a key that
 * is in use or too old; the next attempt has another one.
 * @see https://learn.microsoft.com/rest/api/communication/errorcodes
 * @see https://learn.microsoft.com/rest/api/communication/repeatable-requests
 */
const SMS: Readonly<Record<number, Meaning>> = {
  401: 'passes',
  403: 'passes',
  404: 'passes',
  408: 'ambiguous',
  409: 'ambiguous',
  412: 'passes',
  429: 'throttled',
};

/** What a status of Communication Services means that is no success. */
export function meaningOfSms(status: number): Meaning {
  return SMS[status] ?? (status >= 500 ? 'ambiguous' : 'refused');
}

/**
 * Codes of `ServiceBusError`.
 * @see https://learn.microsoft.com/javascript/api/@azure/service-bus/servicebuserrorcode
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-exceptions
 */
const SERVICE_BUS: Readonly<Record<string, Meaning>> = {
  MessageSizeExceeded: 'too_large',
  ServiceBusy: 'throttled',
  MessagingEntityNotFound: 'passes',
  MessagingEntityDisabled: 'passes',
  UnauthorizedAccess: 'passes',
  QuotaExceeded: 'passes',
  ServiceTimeout: 'ambiguous',
  ServiceCommunicationProblem: 'ambiguous',
  // Of receivers: the lock is gone, and the message comes again.
  MessageLockLost: 'ambiguous',
  MessageNotFound: 'ambiguous',
  SessionLockLost: 'ambiguous',
  SessionCannotBeLocked: 'passes',
};

/**
 * AMQP errors for which the SDK has no code: it says `GeneralError` and puts their names in front of the text. Those that it
 * retries, and those that are about a connection, a session, a link or what somebody else does there, not about a message.
 * @see https://learn.microsoft.com/javascript/api/@azure/core-amqp/conditionerrornamemapper
 * @see https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/core/core-amqp/src/errors.ts (`retryableErrors`)
 * @see https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-transport-v1.0-os.html#section-definitions
 */
const AMQP_AMBIGUOUS = new Set([
  'InternalServerError',
  'OperationCancelledError',
  'SenderBusyError',
  'SenderNotReadyError',
  'MessagingError',
  'DetachForcedError',
  'ConnectionForcedError',
  'TransferLimitExceededError',
  'InsufficientCreditError',
  'SendOperationFailedError',
  'SystemError',
  // Not allowed at that queue, such as sending to one that only gives.
  'InvalidOperationError',
  'AddressAlreadyInUseError',
  'PublisherRevokedError',
  'ResourceLockedError',
  'ResourceDeletedError',
  'IllegalStateError',
  'FrameSizeTooSmallError',
  'FramingError',
  'LinkRedirectError',
  'ConnectionRedirectError',
  'ReceiverDisconnectedError',
  'SessionWindowViolationError',
  'ErrantLinkError',
  'HandleInUseError',
  'UnattachedHandleError',
]);

/** What a `ServiceBusError` means. @param text Its message, which names the AMQP error of a `GeneralError`. */
export function meaningOfServiceBus(code: string, text: string): Meaning {
  const known = SERVICE_BUS[code];
  if (known !== undefined) return known;
  const condition = code === 'GeneralError' ? /^([A-Z]\w+): /.exec(text)?.[1] : code;
  // Without a name nothing is known of it but that the call failed.
  return condition === undefined || AMQP_AMBIGUOUS.has(condition) ? 'ambiguous' : 'refused';
}
