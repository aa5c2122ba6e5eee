/** What the errors of both vendors come to: may the call have taken effect, and is it worth trying again. */
import {
  AmbiguousError,
  type AppError,
  RefusedError,
  ThrottledError,
  TooLargeError,
  UnavailableError,
} from '@tandem-clouds/replication/errors';
import { throttleHintMs } from '../bounds.ts';

/** The call had no effect and may succeed later; it may have had an effect; it fails at every later time. */
export type Meaning = 'passes' | 'throttled' | 'ambiguous' | 'refused' | 'too_large';

/** Codes of Node for a request that never reached the service. */
export const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

const AS_ERROR: Readonly<
  Record<Exclude<Meaning, 'throttled'>, new (message: string, options?: ErrorOptions) => AppError>
> = {
  passes: UnavailableError,
  ambiguous: AmbiguousError,
  refused: RefusedError,
  too_large: TooLargeError,
};

/** @param options.retryAfterMs When a service that throttles wants to be asked again; most do not say. */
export function asError(
  meaning: Meaning,
  text: string,
  { retryAfterMs = throttleHintMs, ...options }: ErrorOptions & { readonly retryAfterMs?: number } = {},
): AppError {
  return meaning === 'throttled'
    ? new ThrottledError(text, { ...options, retryAfterMs })
    : new AS_ERROR[meaning](text, options);
}
