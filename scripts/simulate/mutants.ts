/**
 * Deliberate defects of the protocol. Each must be found by the checkers, or a checker, or the simulated world, is
 * too weak. A mutant is a change of text, so the product holds no switches.
 *
 * Left out as equivalent: resending what `forward` could not clear (that is what the sweeper is for); reading before
 * every first version in `apply` (only slower); not sleeping between attempts (only busier); ignoring that a marker
 * is young in the sweeper (only more messages); keeping a peer that refuses in a sweeper's run (likewise).
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
    'vector: { ...held?.state.vector, [site.site]: stamp }',
    'vector: { [site.site]: stamp }',
  ),
  mutant(
    'a write leaves itself out of the vector',
    LOCAL_WRITE,
    'vector: { ...held?.state.vector, [site.site]: stamp }',
    'vector: { [site.site]: stamp, ...held?.state.vector }',
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
    'replication/conflict-log.ts',
    'pending: Object.fromEntries(site.peers.map((peer) => [peer, stamp])),',
    'pending: {},',
  ),
  mutant(
    'an entry of the conflict log is stamped by the site that writes it',
    'replication/conflict-log.ts',
    'vector: { [stampSite(stamp)]: stamp },',
    'vector: { [site.site]: stamp },',
  ),
  mutant(
    'the conflict log holds the winner in place of the loser',
    'replication/conflict-log.ts',
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
    merged[site] = laterStamp(held, stamp) ?? stamp;`,
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
    "return (vector[stampSite(stamp)] ?? '') >= stamp;",
    'return stampSite(stamp) in vector;',
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
    'vector: record.state.vector,',
    'vector: { [options.source]: version },',
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
    '(peer) => site.peers.includes(peer) && !(peer in silent),',
    '(peer) => site.peers[0] === peer && !(peer in silent),',
  ),
];
