/** Deliberate defects of one writer. Each must be found by its checkers. */
import { type Mutant, mutant } from '../mutated-source.ts';

const ELEMENTS = 'packages/replication/src/anti-entropy/elements.ts';
const COMPARE = 'packages/replication/src/anti-entropy/compare.ts';
const WRITER = 'packages/replication/src/writer-record.ts';

export const writerMutants: readonly Mutant[] = [
  mutant(
    'nobody asks who writes',
    'packages/replication/src/local-write.ts',
    'if (write.isNote !== true) yield* requireWriter(site, write.key);',
    '',
  ),
  mutant(
    'a comparison of an entity leaves its records out',
    ELEMENTS,
    'return [entity, UNIQUE].includes(',
    'return [UNIQUE].includes(',
  ),
  mutant(
    'what is offered is taken for arrived',
    COMPARE,
    'const isLacking = ',
    'const isLacking = job.of === undefined && ',
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
