/**
 * The limits that SQS publishes, in one place.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html and the API
 * reference that ships with `@aws-sdk/client-sqs` 3.1169 (1 MiB per message and per batch since August 2025).
 */
export const LIMITS = {
  messageBytesMin: 1024,
  messageBytesMax: 1_048_576,
  batchBytesMax: 1_048_576,
  batchEntriesMax: 10,
  /** Ours: a byte of a message takes six in JSON at most (`\u0009`); a mebibyte is for names, attributes and receipts. */
  requestBytesMax: 7 * 1_048_576,
  attributesPerMessageMax: 10,
  delaySecondsMax: 900,
  visibilitySecondsMax: 43_200,
  waitSecondsMax: 20,
  receiveMessagesMax: 10,
  retentionSecondsMin: 60,
  retentionSecondsMax: 1_209_600,
  /** Messages received and not yet deleted, per queue. */
  inFlightMax: 120_000,
  /** How long a FIFO queue remembers a deduplication id. */
  deduplicationWindowMs: 300_000,
  groupIdLengthMax: 128,
  maxReceiveCountMax: 1_000,
  moveTaskRateMax: 500,
  listMoveTasksMax: 10,
  listPageMax: 1_000,
} as const;
