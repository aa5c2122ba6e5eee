/**
 * Deliberate defects of content. Each must be found by the checkers of the workload.
 *
 * Left out as equivalent: what got further and wakes nobody (only slower); a claim that is taken away though it was made anew
 * (it is made again); a source that is asked again though it sent other bytes (as long as another one is asked later). A
 * deletion that is not of one version, and lands late, has a directed test.
 */
import { type Mutant, mutant } from '../mutated-source.ts';

const PULL = 'packages/replication/src/objects/pull.ts';
const HOLD = 'packages/replication/src/objects/hold.ts';
const NAMES = 'packages/replication/src/objects/inventory-names.ts';
const CONDITIONS = 'packages/replication/src/objects/conditions.ts';
const REACT = 'packages/replication/src/reactions/react.ts';
const ENTRIES = 'packages/replication/src/reactions/entries.ts';
const FIELDS = 'src/shared/domain/field-changes.ts';

export const objectMutants: readonly Mutant[] = [
  mutant(
    'a creation takes away what was completed elsewhere',
    FIELDS,
    'if (leavesRest && states === undefined && ',
    'if (states === null && ',
  ),
  mutant(
    'the checksum of what is here is not compared',
    PULL,
    'if (facts.crc64 !== undefined) return facts.crc64 === crc64;',
    'if (facts.crc64 !== undefined) return true;',
  ),
  mutant(
    'what was fetched is claimed without a look',
    PULL,
    "// Also after a failure: the call may have been done.\n      if (yield* this.#isHere()) return 'held';\n      if (!this.#goesOn()) break;",
    "if (this.#failures.length === 0) return 'held';\n      if (yield* this.#isHere()) return 'held';\n      if (!this.#goesOn()) break;",
  ),
  mutant(
    'what came in parts is claimed without a look',
    PULL,
    "if (yield* this.#isHere()) return 'held';\n        return this.#failed(",
    "if (sources.length > 0) return 'held';\n        return this.#failed(",
  ),
  mutant(
    'what is something other stays where it is',
    PULL,
    "yield { op: 'objectDelete', name: this.#name,",
    "yield { op: 'objectDelete', name: `${this.#name}x`,",
  ),
  mutant(
    'parts that are something other are kept',
    PULL,
    'if (codeOf(error) === MISMATCH) {',
    'if (codeOf(error) === `${MISMATCH}s`) {',
  ),
  mutant(
    'every run fetches all parts anew',
    PULL,
    'if (ranges[part.number - 1]?.bytes === part.bytes) there',
    'if (ranges[part.number - 1]?.bytes === -part.bytes) there',
  ),
  mutant(
    'an upload in parts that is gone is gone on with',
    PULL,
    'if (codeOf(error) === NOT_FOUND && !(error instanceof NotThereError))',
    'if (codeOf(error) === MISMATCH && !(error instanceof NotThereError))',
  ),
  mutant(
    'a pinned version that is gone is gone for good',
    PULL,
    'const facts = pinned ?? (yield* head(from, this.#name));',
    'const facts = versionId === undefined ? yield* head(from, this.#name) : pinned;',
  ),
  mutant(
    'what a run has got done is forgotten',
    REACT,
    'const kept = { ...rest, ...(progress !== undefined && { progress }) };',
    'const kept = { ...rest };',
  ),
  mutant(
    'whoever lacks the bytes gives up after a day',
    REACT,
    'if (lasting) return yield* this.#claimAndRun(',
    'if (lasting && entry.attempts === -1) return yield* this.#claimAndRun(',
  ),
  mutant(
    'what one site holds no other fetches',
    CONDITIONS,
    'if (lacking.includes(site))',
    'if (held.heldBy.length === 0)',
  ),
  mutant(
    'nobody knows what is crossing',
    CONDITIONS,
    'if (lacking.length > 0)',
    'if (lacking.length > keptBy.length)',
  ),
  mutant(
    'one upload is fetched for all that replace it',
    CONDITIONS,
    'JSON.stringify([key, reaction, upload, ...by])',
    'JSON.stringify([key, reaction, ...by])',
  ),
  mutant(
    'a claim that the storage does not bear out stays',
    HOLD,
    ': { [HELD_BY]: change({ remove: [mine] }) },',
    ': { [HELD_BY]: change({ remove: [] }) },',
  ),
  mutant(
    'only the size of what is claimed is asked for',
    PULL,
    'return facts.bytes !== bytes || (facts.crc64 !== undefined && facts.crc64 !== crc64);',
    'return facts.bytes !== bytes;',
  ),
  mutant(
    'what may be put back is removed with the rest',
    NAMES,
    'if (conflicts === undefined || conflicts.includes(tailOf(each.upload))) return false;',
    'if (conflicts === undefined) return false;',
  ),
  mutant(
    'what nothing uses stays for ever',
    NAMES,
    '&& site.now() - latestMs > keptMs;',
    '&& site.now() - latestMs > 1_000 * keptMs;',
  ),
  mutant(
    'another upload inherits what was to be done about the one before',
    ENTRIES,
    "if (entry.effectId === effectId && entry.parked?.reason !== 'broken') {",
    "if (entry.effectId !== undefined && entry.parked?.reason !== 'broken') {",
  ),
];
