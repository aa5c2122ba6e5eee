/** Deliberate defects of one writer. Each must be found by its checkers. */
import { type Mutant, mutant } from '../mutated-source.ts';

const WRITER = 'packages/replication/src/writer-record.ts';

export const writerMutants: readonly Mutant[] = [
  mutant(
    'nobody asks who writes',
    'packages/replication/src/local-write.ts',
    'if (write.isNote !== true) yield* requireWriter(site, write.key);',
    '',
  ),
  mutant('the declaration counts for ever', WRITER, 'return isWriter ?', 'return isWriter && false ?'),
  mutant(
    'who is to write writes while it is closed',
    WRITER,
    'if (writer.closedBy !== undefined)',
    'if (writer.closedBy === site.site)',
  ),
  mutant(
    'who has closed goes on',
    WRITER,
    'if (writer.closedBy !== undefined)',
    'if (writer.closedBy === site.site) return; else if (writer.closedBy !== undefined)',
  ),
];
