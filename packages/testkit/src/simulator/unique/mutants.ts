/** Deliberate defects of unique values. Each must be found by their checkers. */
import { type Mutant, mutant } from '../mutated-source.ts';

const RESERVATION = 'src/shared/domain/unique/reservation.ts';
const WRITE = 'src/shared/domain/unique/write-unique.ts';
const DUPLICATES = 'src/shared/domain/unique/duplicates.ts';
const REACTIONS = 'src/shared/domain/reactions.ts';

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
  mutant(
    'claims of others are removed',
    RESERVATION,
    'isLongAgo(each.claim, nowMs)',
    'each.claim.seen < nowMs',
  ),
  mutant(
    'what was found out counts beside claims that nobody knew then',
    DUPLICATES,
    'if (found?.among !== among || found.holds === undefined) continue;',
    'if (found?.holds === undefined) continue;',
  ),
  mutant(
    'a site does not wait for what is under way',
    DUPLICATES,
    'claim.seen)) + reservationGraceMs',
    'claim.seen))',
  ),
  mutant(
    'who claimed it last has the value',
    DUPLICATES,
    'return claimantsOf(claims).flatMap(',
    'return claimantsOf(claims).toReversed().flatMap(',
  ),
  mutant(
    'what was done about a loss is not noted',
    REACTIONS,
    '({ ...result(current), ...settledLoss(current, loss) })',
    '({ ...result(current) })',
  ),
];
