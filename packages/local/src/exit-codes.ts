/** How a child of the supervisor ends when it cannot start, and what the supervisor reads from that. */

import { UsageError } from '@tandem-clouds/command-line/usage-error';

/** What is wrong at the start will still be wrong after a restart (EX_CONFIG of sysexits.h). */
export const CANNOT_START = 78;
const TRY_AGAIN = 1;
const USAGE = 2;

/** What the machine is short of now, and may have again: a full disk, files, memory (errno.h). */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'LEVEL_IO_ERROR']);

/**
 * Reports why a process cannot start and ends it: for a shortage that may pass so that it is started again,
 * otherwise (a damaged file, a folder or port that something else has) for good.
 */
export function endAtStart(error: unknown): never {
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(USAGE);
  }
  const reasons = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  for (const reason of reasons) {
    process.stderr.write(`error: ${reason instanceof Error ? reason.message : String(reason)}\n`);
  }
  process.exit(reasons.every(passes) ? TRY_AGAIN : CANNOT_START);
}

function passes(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return PASSING.has((error as NodeJS.ErrnoException).code ?? '') || passes(error.cause);
}
