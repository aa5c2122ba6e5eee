/** How a queue behaves: options, their defaults, and the check of options that came from outside. */

/** Options of a queue; the names say which property of an Azure queue each one stands for. */
export interface QueueOptions {
  /** Peek-lock duration. Azure: 5 s to 5 min, default 30 s (shorter is allowed here, for tests). */
  readonly lockDurationMs?: number;
  /** Failed deliveries after which a message is dead-lettered. Azure's default: 10. */
  readonly maxDeliveryCount?: number;
  /** Time to live of a message that asks for no shorter one. Default: none. */
  readonly defaultTtlMs?: number;
  /** Dead-letter an expired message in place of dropping it. Default false. */
  readonly deadLetterOnExpiry?: boolean;
  /** Window in which a second message with the same id is dropped; 0 or absent: none. Not in the Basic tier. */
  readonly duplicateDetectionMs?: number;
  /** What the queue holds at most, dead letters included. Azure's default: 1024. */
  readonly maxSizeInMegabytes?: number;
  /** Only session receivers, and only messages with a session id. Not in the Basic tier. */
  readonly requiresSession?: boolean;
}

const DEFAULT_SIZE_MB = 1024;

/** Options with the defaults filled in. */
export interface QueueSettings {
  readonly lockDurationMs: number;
  readonly maxDeliveryCount: number;
  readonly defaultTtlMs: number | undefined;
  readonly deadLetterOnExpiry: boolean;
  readonly duplicateDetectionMs: number;
  readonly requiresSession: boolean;
  readonly maxSizeBytes: number;
}

type Kind = 'duration' | 'window' | 'count' | 'flag';

const FIELDS: Readonly<Record<keyof QueueOptions, Kind>> = {
  lockDurationMs: 'duration',
  maxDeliveryCount: 'count',
  defaultTtlMs: 'duration',
  deadLetterOnExpiry: 'flag',
  duplicateDetectionMs: 'window',
  requiresSession: 'flag',
  maxSizeInMegabytes: 'count',
};

/** `$` begins the names of the broker's own nodes; 260 characters is Azure's limit. */
const NAME = /^[a-z0-9](?:[a-z0-9._/-]{0,258}[a-z0-9])?$/i;

const EXPECTED: Readonly<Record<Kind, string>> = {
  duration: 'a whole number of milliseconds, at least 1',
  window: 'a whole number of milliseconds, at least 0',
  count: 'a whole number, at least 1',
  flag: 'true or false',
};

function fits(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'flag':
      return typeof value === 'boolean';
    case 'window':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'duration':
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 1;
  }
}

/**
 * Checks queue options that came over the wire or from a caller.
 * @throws TypeError naming every field that is wrong.
 */
export function parseQueueOptions(value: unknown, path = 'options'): QueueOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${path}: expected an object`);
  }
  const mistakes = Object.entries(value).flatMap(([field, given]: [string, unknown]) => {
    if (!Object.hasOwn(FIELDS, field)) return [`${path}.${field}: unknown field`];
    const kind = FIELDS[field as keyof QueueOptions];
    return given === undefined || fits(kind, given) ? [] : [`${path}.${field}: expected ${EXPECTED[kind]}`];
  });
  if (mistakes.length > 0) throw new TypeError(mistakes.join('; '));
  return value;
}

/** @throws TypeError when `name` cannot be the name of a queue. */
export function checkQueueName(name: string): void {
  if (!NAME.test(name)) {
    throw new TypeError(
      `name: '${name}' is not a queue name (letters, digits and . _ - / inside, at most 260 characters)`,
    );
  }
}

/** Fills in the defaults. */
export function queueSettings(options: QueueOptions): QueueSettings {
  return {
    lockDurationMs: options.lockDurationMs ?? 30_000,
    maxDeliveryCount: options.maxDeliveryCount ?? 10,
    defaultTtlMs: options.defaultTtlMs,
    deadLetterOnExpiry: options.deadLetterOnExpiry ?? false,
    duplicateDetectionMs: options.duplicateDetectionMs ?? 0,
    requiresSession: options.requiresSession ?? false,
    maxSizeBytes: (options.maxSizeInMegabytes ?? DEFAULT_SIZE_MB) * 1024 * 1024,
  };
}
