/** A bound for a call whose SDK has none: until its answer begins, not for the content that follows. */
import { objectTimeoutMs, vendorAttemptsMax } from '../bounds.ts';

/** For all the attempts at the call. @param call Rejects when the signal says so. */
export async function withDeadline<T>(
  call: (signal: AbortSignal) => Promise<T>,
  ms = objectTimeoutMs * vendorAttemptsMax,
): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ms);
  try {
    return await call(abort.signal);
  } finally {
    clearTimeout(timer);
  }
}
