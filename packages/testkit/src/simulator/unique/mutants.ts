/** Deliberate defects of unique values. Each must be found by their checkers. */
import { type Mutant, mutant } from '../mutated-source.ts';

const RESERVATION = 'src/shared/domain/unique/reservation.ts';
const WRITE = 'src/shared/domain/unique/write-unique.ts';

export const uniqueMutants: readonly Mutant[] = [
  mutant('others may claim beside a record that holds the value', RESERVATION, 'if (holds || ', 'if ('),
  mutant(
    'a record that is about to be written counts for nothing',
    RESERVATION,
    'site.now() - claim.seen <= reservationGraceMs',
    'false',
  ),
  mutant('nobody asks who else claims', RESERVATION, 'if (open.length > 0) throw new Contested(open);', ''),
  mutant('a claim lasts for ever', WRITE, '<= reservationFreshMs', '<= Infinity'),
  mutant(
    'values are written without a claim',
    WRITE,
    'if (missing.length > 0) throw',
    'if (missing.length > 9) throw',
  ),
  mutant('a refused write takes back what it did not claim first', WRITE, 'if (again) return;', ''),
  mutant('a claim is taken back that was made anew', RESERVATION, 'claim.by === by', "by !== ''"),
  mutant('a claim is passed over for good', RESERVATION, '!passed.has(textOf(each))', 'passed.size === 0'),
  mutant('claims of others are removed', RESERVATION, 'isLongAgo(each, nowMs)', 'passed.has(textOf(each))'),
];
