/**
 * The shape that the three batch actions share: the request as a whole is refused for its form, an entry on its own
 * for its content.
 */
import { batchEntryCode, SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';

export interface BatchEntry {
  readonly Id: string;
}

const ENTRY_ID = /^[\w-]{1,80}$/;

/** Runs `act` per entry; a refusal fails that entry only. */
export function runBatch<Entry extends BatchEntry>(
  entries: readonly Entry[] | undefined,
  act: (entry: Entry) => object,
): unknown {
  const list = entries ?? [];
  validateEntries(list);
  const Successful: unknown[] = [];
  const Failed: unknown[] = [];
  for (const entry of list) {
    try {
      Successful.push({ Id: entry.Id, ...act(entry) });
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      Failed.push({
        Id: entry.Id,
        SenderFault: true,
        Code: batchEntryCode(error.code),
        Message: error.message,
      });
    }
  }
  return { Successful, Failed };
}

function validateEntries(entries: readonly BatchEntry[]): void {
  if (entries.length === 0) {
    throw new SqsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > LIMITS.batchEntriesMax) {
    throw new SqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${LIMITS.batchEntriesMax}. You have sent ${entries.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const { Id } of entries) {
    if (!ENTRY_ID.test(Id)) {
      throw new SqsError('InvalidBatchEntryId', 'A batch entry id takes 1 to 80 letters, digits, - and _.');
    }
    if (seen.has(Id)) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${Id} repeated.`);
    seen.add(Id);
  }
}
