/**
 * What Blob Storage answers when it refuses: a status, a code in `x-ms-error-code` and in the XML, and a sentence.
 * @see https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 * @see https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
 */
import { element } from './xml.ts';

export class BlobError extends Error {
  override readonly name = 'BlobError';
  readonly code: BlobErrorCode;
  readonly status: number;
  /** Further elements of the body: `AuthenticationErrorDetail`, `HeaderName`. */
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: BlobErrorCode,
    details: Readonly<Record<string, string>> = {},
    more: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    const [status, message] = CODES[code];
    super(message);
    this.code = code;
    this.status = more.status ?? status;
    this.details = details;
    this.headers = more.headers ?? {};
  }

  /** @param time ISO 8601. */
  body(requestId: string, time: string): string {
    const message = `${this.message}\nRequestId:${requestId}\nTime:${time}`;
    const details = Object.entries(this.details).map(([name, text]) => element(name, text));
    return element('Error', {}, [element('Code', this.code), element('Message', message), ...details]);
  }
}

const CODES = {
  AuthenticationFailed: [
    403,
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
  ],
  AuthorizationPermissionMismatch: [
    403,
    'This request is not authorized to perform this operation using this permission.',
  ],
  AuthorizationProtocolMismatch: [
    403,
    'This request is not authorized to perform this operation using this protocol.',
  ],
  AuthorizationResourceTypeMismatch: [
    403,
    'This request is not authorized to perform this operation using this resource type.',
  ],
  AuthorizationSourceIPMismatch: [
    403,
    'This request is not authorized to perform this operation using this source IP.',
  ],
  BlobAlreadyExists: [409, 'The specified blob already exists.'],
  BlobArchived: [409, 'This operation is not permitted on an archived blob.'],
  BlobImmutableDueToLegalHold: [
    409,
    'This operation is not permitted as the blob is immutable due to one or more legal holds.',
  ],
  BlobImmutableDueToPolicy: [
    409,
    'This operation is not permitted as the blob is immutable due to a policy.',
  ],
  BlobNotFound: [404, 'The specified blob does not exist.'],
  BlockCountExceedsLimit: [
    409,
    'The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.',
  ],
  BlockListTooLong: [400, 'The block list may not contain more than 50,000 blocks.'],
  CannotVerifyCopySource: [500, 'Could not verify the copy source within the specified time.'],
  ConditionNotMet: [412, 'The condition specified using HTTP conditional header(s) is not met.'],
  ContainerAlreadyExists: [409, 'The specified container already exists.'],
  ContainerImmutableStorageWithVersioningEnabled: [
    409,
    'The container has immutable storage with versioning enabled and is not empty.',
  ],
  ContainerNotFound: [404, 'The specified container does not exist.'],
  CorsPreflightFailure: [403, 'CORS not enabled or no matching rule found for this request.'],
  Crc64Mismatch: [
    400,
    'The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.',
  ],
  EmptyMetadataKey: [400, 'The key for one of the metadata key-value pairs is empty.'],
  InternalError: [500, 'The server encountered an internal error. Please retry the request.'],
  InvalidAuthenticationInfo: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  InvalidBlobOrBlock: [400, 'The specified blob or block content is invalid.'],
  InvalidBlobType: [409, 'The blob type is invalid for this operation.'],
  InvalidBlockId: [400, 'The specified block ID is invalid. The block ID must be Base64-encoded.'],
  InvalidBlockList: [400, 'The specified block list is invalid.'],
  InvalidHeaderValue: [400, 'The value for one of the HTTP headers is not in the correct format.'],
  InvalidInput: [400, 'One of the request inputs is not valid.'],
  InvalidMd5: [
    400,
    'The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.',
  ],
  InvalidMetadata: [400, 'The specified metadata is invalid. It has characters that are not permitted.'],
  InvalidQueryParameterValue: [
    400,
    'Value for one of the query parameters specified in the request URI is invalid.',
  ],
  InvalidRange: [416, 'The range specified is invalid for the current size of the resource.'],
  InvalidResourceName: [400, 'The specified resource name contains invalid characters.'],
  InvalidUri: [400, 'The requested URI does not represent any resource on the server.'],
  InvalidXmlDocument: [400, 'XML specified is not syntactically valid.'],
  InvalidXmlNodeValue: [400, 'The value for one of the XML nodes is not in the correct format.'],
  LeaseAlreadyPresent: [409, 'There is already a lease present.'],
  LeaseIdMismatchWithBlobOperation: [412, 'The lease ID specified did not match the lease ID for the blob.'],
  LeaseIdMismatchWithLeaseOperation: [
    409,
    'The lease ID specified did not match the lease ID for the container or blob.',
  ],
  LeaseIdMissing: [
    412,
    'There is currently a lease on the blob and no lease ID was specified in the request.',
  ],
  LeaseIsBrokenAndCannotBeRenewed: [
    409,
    'The lease ID matched, but the lease has been broken explicitly and cannot be renewed.',
  ],
  LeaseNotPresentWithBlobOperation: [412, 'There is currently no lease on the blob.'],
  LeaseNotPresentWithLeaseOperation: [409, 'There is currently no lease on the blob.'],
  Md5Mismatch: [
    400,
    'The MD5 value specified in the request did not match with the MD5 value calculated by the server.',
  ],
  MetadataTooLarge: [400, 'The size of the specified metadata exceeds the maximum size permitted.'],
  MissingContentLengthHeader: [411, 'Content-Length HTTP header is required.'],
  MissingRequiredHeader: [400, "An HTTP header that's mandatory for this request is not specified."],
  MissingRequiredQueryParameter: [
    400,
    "A query parameter that's mandatory for this request is not specified.",
  ],
  NoAuthenticationInformation: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  OperationTimedOut: [500, 'Operation could not be completed within the permitted time.'],
  OperationNotAllowedOnRootBlob: [403, 'The specified operation is not allowed on root blob.'],
  OutOfRangeInput: [400, 'One of the request inputs is out of range.'],
  OutOfRangeQueryParameterValue: [
    400,
    'One of the query parameters specified in the request URI is outside the permissible range.',
  ],
  RequestBodyTooLarge: [413, 'The request body is too large and exceeds the maximum permissible limit.'],
  ResourceNotFound: [404, 'The specified resource does not exist.'],
  ServerBusy: [503, 'The server is busy.'],
  UnauthorizedBlobOverwrite: [403, 'This request is not authorized to perform blob overwrites.'],
  UnsupportedHeader: [400, 'One of the HTTP headers specified in the request is not supported.'],
  UnsupportedHttpVerb: [405, "The resource doesn't support specified Http Verb."],
  UnsupportedQueryParameter: [
    400,
    'One of the query parameters specified in the request URI is not supported.',
  ],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

export type BlobErrorCode = keyof typeof CODES;

const isCode = (code: string): code is BlobErrorCode => Object.hasOwn(CODES, code);

/** What a fault rule asks for; without a code the service is busy. */
export function injectedError(code = 'ServerBusy'): BlobError {
  return isCode(code) ? new BlobError(code) : new BlobError('InternalError', { Injected: code });
}

export function badHeader(name: string, value: string | undefined): BlobError {
  if (value === undefined) return new BlobError('MissingRequiredHeader', { HeaderName: name });
  return new BlobError('InvalidHeaderValue', { HeaderName: name, HeaderValue: value });
}

export function badQuery(name: string, value: string, reason: string): BlobError {
  return new BlobError('InvalidQueryParameterValue', {
    QueryParameterName: name,
    QueryParameterValue: value,
    Reason: reason,
  });
}
