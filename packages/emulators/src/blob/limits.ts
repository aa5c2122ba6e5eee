/** Sizes and counts, as published: https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const MIB = 1024 * 1024;

/** @see https://learn.microsoft.com/rest/api/storageservices/put-blob#remarks */
export const PUT_BYTES_MAX = 5_000 * MIB;
/** @see https://learn.microsoft.com/rest/api/storageservices/put-block#remarks */
export const BLOCK_BYTES_MAX = 4_000 * MIB;
export const STAGED_BLOCKS_MAX = 100_000;
/** Before encoding. */
export const BLOCK_ID_BYTES_MAX = 64;
/** @see https://learn.microsoft.com/rest/api/storageservices/put-block-list#remarks */
export const BLOCKS_MAX = 50_000;
/** @see https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url#remarks */
export const SYNC_COPY_BYTES_MAX = 256 * MIB;
/** Of a range whose checksum is asked for. https://learn.microsoft.com/rest/api/storageservices/get-blob#request-headers */
export const CHECKED_RANGE_BYTES_MAX = 4 * MIB;
/** @see https://learn.microsoft.com/rest/api/storageservices/list-blobs#uri-parameters */
export const LIST_MAX = 5_000;
/** @see https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key#request-body */
export const DELEGATED_KEY_MS_MAX = 7 * 86_400_000;
/** Of XML in a request: 50,000 block ids of 64 bytes, in base64 and in elements. */
export const XML_BYTES_MAX = 16 * MIB;
