/**
 * Deliberate defects of the protocol. Each must be found by the checkers, or a checker, or the simulated world, is
 * too weak. A mutant is a change of text, so the product holds no switches.
 *
 * Left out as equivalent: resending what `forward` could not clear (that is what the sweeper is for); reading before
 * every first version in `apply` (only slower); not sleeping between attempts (only busier); ignoring that a marker
 * is young in the sweeper (only more messages); keeping a peer that refuses in a sweeper's run (likewise); a conflict's
 * entry whose vector names the site that writes it (one more write at every other site, and the same in the end); a
 * sketch that cannot name the difference, or names too much (then more is offered, and found to be there); a repair
 * that does not send what it has marked (the sweeper does).
 */
import type { Mutant } from './mutated-source.ts';

const LOCAL_WRITE = 'replication/local-write.ts';
const FORWARD = 'replication/forward.ts';
const APPLY = 'replication/apply.ts';
const SWEEP = 'replication/sweep.ts';
const MERGE = 'replication/merge.ts';
const RECORD = 'replication/record.ts';
const VECTOR = 'replication/vector.ts';
const FIELD = 'replication/policies/field.ts';
const STAMP = 'replication/stamp.ts';
const EVENT = 'replication/event.ts';
const CONFLICTS = 'replication/conflict-log.ts';
const SLOTS = 'replication/policies/slots.ts';
const SET = 'replication/policies/set.ts';
const COMPARE = 'replication/anti-entropy/compare.ts';
const SKETCH = 'replication/anti-entropy/sketch.ts';
const COUNTER = 'replication/policies/counter.ts';

const mutant = (name: string, file: string, search: string, replacement: string): Mutant => ({
  name,
  file,
  search,
  replacement,
});

export const mutants: readonly Mutant[] = [
  mutant('a write sets no markers', LOCAL_WRITE, 'for (const peer of site.peers) pending[peer] = stamp;', ''),
  mutant(
    'a write marks only its first peer',
    LOCAL_WRITE,
    'for (const peer of site.peers) pending',
    'for (const peer of site.peers.slice(0, 1)) pending',
  ),
  mutant(
    'a write keeps the marker of an earlier one',
    LOCAL_WRITE,
    'pending[peer] = stamp;',
    'pending[peer] = held?.pending[peer] ?? stamp;',
  ),
  mutant(
    'a write that lost its race is acknowledged',
    LOCAL_WRITE,
    "if (outcome?.status === 'written') {",
    "if (outcome?.status !== 'failed') {",
  ),
  mutant(
    'a write that failed is acknowledged',
    LOCAL_WRITE,
    "if (outcome?.status === 'failed') throw outcome.error;",
    "if (outcome?.status === 'failed') return record;",
  ),
  mutant(
    'a write does not look for its own operation',
    LOCAL_WRITE,
    'if (held?.operations.includes(write.operationId) === true) return held;',
    '',
  ),
  mutant('a write is stamped by the wall clock', LOCAL_WRITE, 'after: seen }', 'after: undefined }'),
  mutant(
    'a stamp ignores what other sites wrote',
    LOCAL_WRITE,
    'laterStamp(newestStamp(held.state), held.version)',
    'held.version',
  ),
  mutant(
    'a write forgets what the others wrote in its vector',
    LOCAL_WRITE,
    '{ ...held?.state.vector, [site.site]: stamp }',
    '{ [site.site]: stamp }',
  ),
  mutant(
    'a write leaves itself out of the vector',
    LOCAL_WRITE,
    '{ ...held?.state.vector, [site.site]: stamp }',
    '{ [site.site]: stamp, ...held?.state.vector }',
  ),
  mutant(
    'a write drops the other fields',
    RECORD,
    'const fields: Record<string, Register> = { ...state?.fields };',
    'const fields: Record<string, Register> = {};',
  ),
  mutant(
    'forward clears before it sends',
    FORWARD,
    'const outcomes = yield* send(',
    'yield* clear(crossings, crossings.map(({ version, peers }) => Object.fromEntries(peers.map((p) => [p, version]))));\n    const outcomes = yield* send(',
  ),
  mutant(
    'forward clears for a peer that refused',
    FORWARD,
    'if (error === undefined) Object.assign(accepted',
    'if (error !== null) Object.assign(accepted',
  ),
  mutant(
    'forward clears any version',
    FORWARD,
    'newest[peer] = version;',
    "newest[peer] = 'zzzzzzzzzzzzz.z';",
  ),
  mutant(
    'forward never clears',
    FORWARD,
    'if (requests.length === 0) return;',
    'if (requests.length >= 0) return;',
  ),
  mutant(
    'forward clears every peer when one accepted',
    FORWARD,
    'if (Object.keys(newest).length > 0) byKey.set(key, newest);',
    'if (Object.keys(newest).length > 0) byKey.set(key, Object.fromEntries(crossings.flatMap(({ peers, version }) => peers.map((p) => [p, version]))));',
  ),
  mutant(
    'forward passes on events of other sites',
    FORWARD,
    'if (event.source !== site.site) {',
    'if (event.source === undefined) {',
  ),
  mutant(
    'one unreadable message stops its batch in forward',
    FORWARD,
    'dispositions[index] = unreadable(error);',
    'throw error;',
  ),
  mutant(
    'forward gives up a refused message without a reason',
    FORWARD,
    'dead(lasting);',
    "{ kind: 'dead', reason: '', detail: '' };",
  ),
  mutant(
    'forward sends everything twice',
    FORWARD,
    'yield* clear(crossings, accepted);',
    'for (const peer of new Set(crossings.flatMap(({ peers }) => peers))) yield* send(peer, crossings.map(({ message }) => message));\n  yield* clear(crossings, accepted);',
  ),
  mutant('apply takes the last arrival as it is', APPLY, 'state = merge.state;', 'state = stateOf(event);'),
  mutant(
    'apply acknowledges a write that lost its race',
    APPLY,
    "if (outcome?.status === 'written') {",
    "if (outcome?.status !== 'failed') {",
  ),
  mutant(
    'apply acknowledges a write that failed',
    APPLY,
    'outcomes.set(key, outcome.error);',
    'outcomes.set(key, undefined);',
  ),
  mutant(
    'apply acknowledges what it could not read',
    APPLY,
    'if (!known.has(key)) outcomes.set(key, failure);',
    'if (!known.has(key)) outcomes.set(key, undefined);',
  ),
  mutant('apply loses the markers', APPLY, ': { ...held, state };', ': { ...held, state, pending: {} };'),
  mutant(
    'apply sets markers of its own',
    APPLY,
    ': { ...held, state };',
    ': { ...held, state, pending: Object.fromEntries(site.peers.map((p) => [p, newestStamp(state)])) };',
  ),
  mutant(
    'apply logs conflicts after the write',
    APPLY,
    `    const unlogged = yield* logConflicts(
      site,
      wanted.flatMap((change) => change.lost),
    );
    for (const [key, error] of unlogged) outcomes.set(key, error);
    const changes = wanted.filter(({ record }) => !unlogged.has(record.key));
    if (changes.length === 0) break;
    const written = yield* putMany(changes);`,
    `    const changes = wanted;
    if (changes.length === 0) break;
    const written = yield* putMany(changes);
    yield* logConflicts(site, changes.filter((_, position) => written[position]?.status === 'written').flatMap((change) => change.lost));`,
  ),
  mutant(
    'apply merges what it could not log',
    APPLY,
    'wanted.filter(({ record }) => !unlogged.has(record.key));',
    'wanted;',
  ),
  mutant(
    'an entry of the conflict log stays where it was written',
    CONFLICTS,
    'pending: Object.fromEntries(site.peers.map((peer) => [peer, stamp])),',
    'pending: {},',
  ),
  mutant(
    'the conflict log holds the winner in place of the loser',
    CONFLICTS,
    'loser: { ...logged(loser), value: loser[1] },',
    'loser: { ...logged(loser), value: winner[1] },',
  ),
  mutant(
    'a create leaves an unseen tombstone alone',
    'domain/entity-service.ts',
    'if (!keepUnseenTombstone || current !== undefined) reset',
    'if (DELETED in reset) reset',
  ),
  mutant(
    'apply logs no conflicts',
    APPLY,
    'wanted.flatMap((change) => change.lost),',
    'wanted.slice(0, 0).flatMap((change) => change.lost),',
  ),
  mutant('apply accepts any stamp', APPLY, 'if (aheadMs > clockAheadMaxMs) {', 'if (aheadMs === Infinity) {'),
  mutant(
    'apply refuses a skewed event for good without a reason',
    APPLY,
    'return settled(error, message);',
    "return { kind: 'done' };",
  ),
  mutant(
    'apply takes events of strangers',
    APPLY,
    'if (!site.peers.includes(event.source)) {',
    "if (event.source === '') {",
  ),
  mutant(
    'one unreadable message stops its batch in apply',
    APPLY,
    'return unreadable(error);',
    'throw error;',
  ),
  mutant(
    'arrival wins',
    MERGE,
    'ours === undefined || outranks(theirs, ours)',
    'ours === undefined || theirs[0] !== ours[0]',
  ),
  mutant('the older stamp wins', FIELD, '? a[0] > b[0]', '? a[0] < b[0]'),
  mutant('a merge takes the remote vector', VECTOR, 'merged ??= { ...a };', 'merged ??= {};'),
  mutant(
    'a merge writes what it holds already',
    VECTOR,
    'if (held !== undefined && held >= stamp) continue;',
    'if (held !== undefined && held === stamp) continue;',
  ),
  mutant(
    'a merge lets the vector go back',
    VECTOR,
    `    if (held !== undefined && held >= stamp) continue;
    merged ??= { ...a };
    setOwn(merged, site, laterStamp(held, stamp) ?? stamp);`,
    `    if (held === stamp) continue;
    merged ??= { ...a };
    merged[site] = stamp;`,
  ),
  mutant('a merge forgets fields that it only has here', MERGE, '= { ...local.fields };', '= {};'),
  mutant(
    'a merge ignores a newer vector without newer fields',
    MERGE,
    'changed ||= vector !== local.vector;',
    '',
  ),
  mutant(
    'a conflict is seen only when we lose',
    MERGE,
    'if (ours !== undefined && concurrent(',
    'if (wins && ours !== undefined && concurrent(',
  ),
  mutant(
    'a conflict is one only when neither vector knows any of both',
    VECTOR,
    "return (own(vector, stampSite(stamp)) ?? '') >= stamp;",
    'return Object.hasOwn(vector, stampSite(stamp));',
  ),
  mutant(
    'a counter that is never raised',
    STAMP,
    'encodeStamp(ms, counter + 1, site)',
    'encodeStamp(ms, counter, site)',
  ),
  mutant(
    'an event leaves reserved fields out',
    EVENT,
    '...(Object.keys(reserved).length > 0 && { reserved }),',
    '',
  ),
  mutant(
    'an event leaves the vector of others out',
    EVENT,
    'vector: state.vector,\n    },',
    'vector: Object.fromEntries(Object.entries(state.vector).slice(0, 1)),\n    },',
  ),
  mutant(
    'an event of a newer minor version is refused',
    EVENT,
    "specversion.split('.')[0] !== SPEC_MAJOR",
    'specversion !== SPEC_VERSION',
  ),
  mutant(
    'an event of a newer major version is guessed at',
    EVENT,
    'if (failures.length > 0) {',
    'if (failures.length > 99) {',
  ),
  mutant(
    'the sweeper never runs',
    SWEEP,
    'if (resume === undefined) {',
    'if (resume !== null) {\n      fromStart = true;',
  ),
  mutant(
    'the sweeper does not clear',
    SWEEP,
    'const outcomes = yield* cross(crossings);',
    "const outcomes = yield* cross(crossings.map((crossing) => ({ ...crossing, version: '' })));",
  ),
  mutant(
    'the sweeper clears what it did not send',
    SWEEP,
    'version: record.version, message, peers }',
    "version: 'zzzzzzzzzzzzz.z', message, peers }",
  ),
  mutant(
    'the sweeper sends to its first peer only',
    SWEEP,
    '(peer) => site.peers.includes(peer) && !Object.hasOwn(silent, peer),',
    '(peer) => site.peers[0] === peer && !Object.hasOwn(silent, peer),',
  ),
  mutant(
    'a set keeps what was removed',
    SLOTS,
    'twin === undefined ? !covers(other.vector, slot[0]) : slot[0] >= twin[0]',
    'twin === undefined || slot[0] >= twin[0]',
  ),
  mutant(
    'a set drops what the other has not seen',
    SLOTS,
    'twin === undefined ? !covers(other.vector, slot[0]) : slot[0] >= twin[0]',
    'twin !== undefined && slot[0] >= twin[0]',
  ),
  mutant('a set drops what both have', SLOTS, 'slot[0] >= twin[0]', 'slot[0] > twin[0]'),
  mutant('a set keeps the older of two additions', SLOTS, 'slot[0] >= twin[0]', 'slot[0] <= twin[0]'),
  mutant('a counter keeps the older slot', SLOTS, 'slot[0] > held[0]', 'slot[0] < held[0]'),
  mutant(
    'a counter keeps the slot that it has',
    SLOTS,
    'if (held === undefined || slot[0] > held[0])',
    'if (held === undefined)',
  ),
  mutant(
    'a counter takes only the slots that it knows',
    SLOTS,
    'held === undefined || slot',
    'held !== undefined && slot',
  ),
  mutant(
    'an addition leaves the element in the list that was written',
    SET,
    'names([...remove, ...add])',
    'names(remove)',
  ),
  mutant(
    'two sites add into one slot',
    SET,
    '`${at.site}|${canonicalJson(element)}`',
    'canonicalJson(element)',
  ),
  mutant(
    'a removal forgets the list that was written',
    SET,
    'register !== undefined && list.some(isGone) ?',
    'register !== undefined && list.length < 0 ?',
  ),
  mutant(
    'a removal loses the rank',
    SET,
    'return rank === undefined ? [stamp, left] : [stamp, left, rank];',
    'return rank === undefined ? [stamp, left] : [stamp, left];',
  ),
  mutant(
    'a removal removes nothing',
    SET,
    '([, [, element]]) => !isGone(element)',
    '([, [, element]]) => element !== undefined || !isGone(element)',
  ),
  mutant(
    'a set that is replaced keeps the rest',
    SET,
    'remove: held.filter(',
    'remove: held.slice(0, 0).filter(',
  ),
  mutant(
    'a set that starts anew keeps what was there',
    SET,
    'added(write([])(parts, at), wanted, at)',
    'added(parts, wanted, at)',
  ),
  mutant('an increment sets', COUNTER, 'const sum = held + by;', 'const sum = by + held * 0;'),
  mutant(
    'an increment keeps the stamp of the one before',
    COUNTER,
    '[site]: [stamp, sum] }',
    '[site]: [parts.counter?.[site]?.[0] ?? stamp, sum] }',
  ),
  mutant(
    'a write over a counter forgets what it has seen',
    COUNTER,
    'return { ...counter, ...bases };',
    'return bases === counter ? bases : counter;',
  ),
  mutant(
    'a write over a counter clears it',
    'replication/policies/register.ts',
    '...(counter !== undefined && { counter: settled(counter) }),',
    '',
  ),
  mutant(
    'a write over a rank loses it',
    'replication/policies/register.ts',
    ': [stamp, value, register[2]],',
    ': [stamp, value],',
  ),
  mutant(
    'an owner writes without rank',
    'replication/policies/owned.ts',
    '[stamp, value, rank]',
    '[stamp, value]',
  ),
  mutant('the later stamp wins against the higher rank', FIELD, ': aRank > bRank;', ': a[0] > b[0];'),
  mutant('the lower rank wins', FIELD, ': aRank > bRank;', ': aRank < bRank;'),
  mutant(
    'a counter forgets the number that it started from',
    FIELD,
    "(typeof plain === 'number' ? plain : 0)",
    '0',
  ),
  mutant(
    'a set forgets the list that it started from',
    FIELD,
    'if (Array.isArray(plain))',
    'if (plain === 0 && Array.isArray(plain))',
  ),
  mutant(
    'a counter that was written over still counts',
    FIELD,
    "?.[0] ?? '') < stamp",
    "?.[0] ?? '') <= stamp",
  ),
  mutant(
    'a counter counts what was taken off',
    FIELD,
    "name.startsWith('-') ? -Number(counted) : Number(counted)",
    "name.startsWith('-') ? 0 : Number(counted)",
  ),
  mutant('a write drops the other sets', RECORD, '= { ...state?.sets };', '= {};'),
  mutant('a write drops the other counters', RECORD, '= { ...state?.counters };', '= {};'),
  mutant(
    'a part that a write removes stays',
    RECORD,
    'else if (Object.hasOwn(section, field)) Reflect',
    "else if (field === '') Reflect",
  ),
  mutant('a write does not see the counter', RECORD, '...(counter !== undefined && { counter }),', ''),
  mutant(
    'a stamp ignores the vector',
    RECORD,
    'for (const stamp of Object.values(state.vector)) newest = laterStamp(newest, stamp);',
    '',
  ),
  mutant(
    'a field without register is not seen',
    RECORD,
    'if (sets === undefined && counters === undefined) return names;',
    'if (names.length >= 0) return names;',
  ),
  mutant('a state loses its sets', RECORD, '...(Object.keys(sets).length > 0 && { sets }),', ''),
  mutant('an event leaves sets out', EVENT, '...(state.sets !== undefined && { sets: state.sets }),', ''),
  mutant(
    'an event leaves counters out',
    EVENT,
    '...(state.counters !== undefined && { counters: state.counters }),',
    '',
  ),
  mutant('an event leaves ranks out', EVENT, '...(Object.keys(ranks).length > 0 && { ranks }),', ''),
  mutant('an event is read without ranks', EVENT, ': [stamp, value, rank];', ': [stamp, value];'),
  mutant(
    'the stamps of slots are not looked at',
    EVENT,
    'const slots = slotsOf(event.state).map(([stamp]) => stamp);',
    'const slots: string[] = [];',
  ),
  mutant(
    'a conflict that could not be logged is taken as logged',
    CONFLICTS,
    "else if (outcome.status === 'failed') failed.set(key, outcome.error);",
    '',
  ),
  mutant(
    'two losers against one winner share an entry',
    CONFLICTS,
    '[key, field, loser[0], winner[0]]',
    '[key, field, winner[0]]',
  ),
  mutant(
    'two fields of one write share an entry',
    CONFLICTS,
    '[key, field, loser[0], winner[0]]',
    '[key, loser[0], winner[0]]',
  ),
  mutant(
    'the conflict log names the clock where the rank decided',
    CONFLICTS,
    "? 'newer' : 'higher rank'",
    "? 'newer' : 'newer'",
  ),
  mutant(
    'a delete keeps the values',
    'domain/entity-service.ts',
    'return { ...emptied(current), [DELETED]: true };',
    'return { [DELETED]: true };',
  ),
  mutant(
    'a comparison puts nothing into the sketch',
    COMPARE,
    "if (side === 'from') sketch.add(element);\n      else sketch.take(element);",
    '',
  ),
  mutant(
    'a sketch takes one side for the other',
    SKETCH,
    '(sign === 1 ? added : taken).push(hash);',
    '(sign === 1 ? taken : added).push(hash);',
  ),
  mutant(
    'a comparison believes that nothing is lacking',
    COMPARE,
    'includes(record.state, vectorOfName(name) ?? {}) ? [] : [key]',
    'includes(record.state, vectorOfName(name) ?? {}) ? [] : []',
  ),
  mutant(
    'a comparison takes an absent record for an equal one',
    COMPARE,
    'return record !== undefined && includes',
    'return record === undefined || includes',
  ),
  mutant('a repair only counts', COMPARE, 'const repaired = job.repair && ', 'const repaired = false && '),
  mutant(
    'a repair sends what it never wrote under no version',
    'replication/anti-entropy/repair.ts',
    "const version = record.version ?? newestStamp(record.state) ?? '';",
    "const version = record.version ?? '';",
  ),
  mutant(
    'the second side of a comparison does not end it',
    'replication/anti-entropy/verification.ts',
    'if (other?.counted === undefined) return changes;',
    'if (other?.counted !== 0) return changes;',
  ),
];
