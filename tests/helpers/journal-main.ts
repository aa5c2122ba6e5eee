/**
 * Appends entries of growing size to the journal that its argument names, until a few have been refused, then small
 * ones. Prints as JSON which were accepted, and the first refusal.
 */
import { Journal } from '@tandem-clouds/emulators/core/journal';

const [, , file = ''] = process.argv;
const journal = Journal.open<{ n: number; text: string }>(file, () => undefined);
const accepted: number[] = [];
const refusals: string[] = [];
const append = (n: number, chars: number): void => {
  try {
    journal.append({ n, text: 'x'.repeat(chars) });
    accepted.push(n);
  } catch (error) {
    refusals.push(error instanceof Error ? error.message : String(error));
  }
};
let n = 0;
while (refusals.length < 3) append((n += 1), 50 * n);
const large = accepted.length;
for (let i = 0; i < 3; i += 1) append((n += 1), 1);
const { length } = journal;
journal.compact([{ n: 0, text: 'x'.repeat(100_000) }]);
append((n += 1), 1);
process.stdout.write(JSON.stringify({ accepted, large, length, refusals }));
