/**
 * Deliberate defects of erasures. Each must be found by their checkers.
 *
 * Left out as equivalent here: logging what an erasure overrules (an entry is searched for like any other, and what is still
 * under way when a site is clean says nothing new; tests of the merge hold it).
 */
import { type Mutant, mutant } from '../mutated-source.ts';

const LIVES = 'packages/replication/src/lives.ts';
const ERASED = 'packages/replication/src/policies/erased.ts';
const ERASE = 'packages/replication/src/anti-entropy/erase.ts';

export const erasureMutants: readonly Mutant[] = [
  mutant(
    'an erasure is a life like any other',
    LIVES,
    'const incarnation = (erasuresOf(state) + 1) * ERASURE_LIVES;',
    'const incarnation = (state.incarnation ?? 0) + 1;',
  ),
  mutant(
    'an erased field has no rank',
    ERASED,
    'return { register: [stamp, value, rank] };',
    'return { register: [stamp, value] };',
  ),
  mutant(
    'the conflict log is not searched',
    ERASE,
    'if (id !== undefined && (yield* this.#erase(entry.key',
    'if (id === entry.key && (yield* this.#erase(entry.key',
  ),
  mutant(
    'a site is clean as soon as it has searched',
    ERASE,
    'const isClean = isQuiet && atMs > peersQuietMs + erasureSettleMs;',
    'const isClean = true;',
  ),
  mutant(
    'a site is clean whatever its peers hold',
    ERASE,
    'const isClean = isQuiet && atMs > peersQuietMs + erasureSettleMs;',
    'const isClean = isQuiet;',
    { reorder: 0.6, partition: 4, outboxLoss: 0.4, throttle: 0.1 },
  ),
  mutant(
    'what a peer has not accepted as erased does not count',
    ERASE,
    "this.#count(erasedBy, 'pending');",
    "this.#count('', 'pending');",
    { reorder: 0.6, partition: 4, outboxLoss: 0.4, throttle: 0.1 },
  ),
  mutant(
    'what waits does not count',
    ERASE,
    'erased + emptied + entries + waiting + pending === 0',
    'erased + emptied + entries + pending === 0',
  ),
  mutant(
    'all of a person is erased, whenever it was written',
    ERASE,
    'oldestPartMs(state) > atMs) return false;',
    'atMs < 0) return false;',
  ),
  mutant(
    'nobody else is spared',
    ERASE,
    'if (atMs === undefined || oldestPartMs(state) > atMs) return false;',
    'if (emptied === undefined && erasuresOf(state) > 0) return false;',
  ),
  mutant(
    'an entry about an earlier life is left',
    ERASE,
    'return atMs !== undefined && stampMs(stamp) <= atMs ? id : undefined;',
    'return undefined;',
  ),
];
