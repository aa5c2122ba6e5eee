/**
 * Deliberate defects of reactions. Each must be found by the checkers of the workload.
 *
 * Left out as equivalent: a write or a merge that wakes nobody (only slower); waking without a grace (only more messages);
 * an heir that is everybody (more calls under one name).
 */
import { type Mutant, mutant } from '../mutated-source.ts';

const LOCAL_WRITE = 'packages/replication/src/local-write.ts';
const ARRIVALS = 'packages/replication/src/arrivals.ts';
const ENTRIES = 'packages/replication/src/reactions/entries.ts';
const REACT = 'packages/replication/src/reactions/react.ts';
const DUE = 'packages/replication/src/reactions/due.ts';
const DUE_AT = 'packages/replication/src/reactions/due-at.ts';
const SCAN = 'packages/replication/src/reactions/scan.ts';
const REACTIONS = 'src/shared/domain/reactions.ts';

export const reactionMutants: readonly Mutant[] = [
  mutant('a merge sets no entry', ARRIVALS, '...withEntries(entries) };', '};'),
  mutant('a write sets no entry', LOCAL_WRITE, '...withEntries(entries),', ''),
  mutant(
    'a merge keeps the entries that it found',
    ARRIVALS,
    'const entries = entriesAfter(site, key, { held: own, state });',
    'const entries = own?.reactions;',
  ),
  mutant(
    'the effect is named by the clock',
    REACTIONS,
    'return JSON.stringify([key,',
    'return JSON.stringify([performance.now(), key,',
  ),
  mutant(
    'the effect is named by the newest stamp alone',
    REACTIONS,
    "reaction.once === undefined ? stamps : ['once', reaction.once(record)]",
    'stamps.slice(0, 1)',
  ),
  mutant(
    'the origin is where the oldest stamp was made',
    REACTIONS,
    'stamps.reduce(laterStamp, undefined)',
    'stamps[0]',
  ),
  mutant(
    'every site runs what is of one',
    ENTRIES,
    "if (where === 'every' || origin === site.site || site.declaredWriter?.(key) !== undefined) return true;",
    'return true;',
  ),
  mutant(
    'nobody takes over from a lost site',
    ENTRIES,
    'isLeft && heirOf(site, key) === site.site',
    'isLeft && heirOf(site, key) === origin',
  ),
  mutant(
    'a take-over goes by messages only',
    SCAN,
    'if (set === 0) return held.reactions;',
    'if (set >= 0) return held.reactions;',
  ),
  mutant('a take-over forgets where to go on', SCAN, '...(next !== undefined && { next }) };', '};'),
  mutant(
    'the entry goes before the run',
    REACT,
    'dueMs: nowMs + Math.max(runMs, pauseAfter(attempt, lasting)),',
    'dueMs: Infinity,',
  ),
  mutant(
    'the entry is gone once it was tried',
    REACT,
    '[this.#reaction]: claimed }',
    '[this.#reaction]: {} }',
  ),
  mutant(
    'what fails is tried again at once',
    REACT,
    'dueMs: nowMs + Math.max(runMs, pauseAfter(attempt, lasting)),',
    'dueMs: nowMs,',
  ),
  mutant(
    'a result is written whatever holds now',
    REACT,
    'return holds ? changes : undefined;',
    'unwritten = undefined;\n        return changes;',
  ),
  mutant(
    'what may be forgotten is tried all the same',
    REACT,
    'const isOld = nowMs',
    'const isOld = 0 * nowMs',
  ),
  mutant('an effect that was forgotten is not looked up', REACT, 'if (looksUp) {', 'if (attempt > 99) {'),
  mutant('loops have no bound', REACT, 'begun >= effectsPerHourMax)', 'begun >= 9 * effectsPerHourMax)'),
  mutant(
    'what failed is parked at once',
    REACT,
    'const isLasting = isPermanent(error) && !(error instanceof ElsewhereError);',
    'const isLasting = true;',
  ),
  mutant(
    'an entry survives its condition',
    ENTRIES,
    'if (after === undefined) return rest;',
    'if (after === undefined) return entry;',
  ),
  mutant(
    'another effect inherits the entry',
    ENTRIES,
    "if (entry.effectId === effectId && entry.parked?.reason !== 'broken') {",
    "if (entry.effectId !== undefined && entry.parked?.reason !== 'broken') {",
  ),
  mutant(
    'what was done is done for good',
    ENTRIES,
    "if (entry.done === effectId && after.site === 'every') return rest;",
    'if (entry.done === effectId && !isDone) return rest;',
  ),
  mutant(
    'what runs at every site runs once',
    ENTRIES,
    "if (entry.done === effectId && after.site === 'every') return rest;",
    "if (entry.done !== undefined && after.site === 'every') return rest;",
  ),
  mutant(
    'what is noted of reactions drops the markers',
    REACT,
    'const { reactions: _, ...rest } = record;\n    const next = { ...rest,',
    'const { reactions: _, ...rest } = record;\n    const next = { ...rest, pending: {},',
  ),
  mutant('nobody wakes what is due', DUE, 'if (keys.length > 0) yield* wake(keys);\n  return {', 'return {'),
  mutant(
    'the index forgets what was tried',
    DUE_AT,
    'const mine = dueMs ??',
    'const mine = (dueMs === undefined ? undefined : dueMs * 2) ??',
  ),
];
