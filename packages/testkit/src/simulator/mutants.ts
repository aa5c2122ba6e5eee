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
import { type Mutant, mutant } from './mutated-source.ts';

const LOCAL_WRITE = 'packages/replication/src/local-write.ts';
const FORWARD = 'packages/replication/src/forward.ts';
const APPLY = 'packages/replication/src/apply.ts';
const ARRIVALS = 'packages/replication/src/arrivals.ts';
const BATCH_MERGE = 'packages/replication/src/batch-merge.ts';
const SWEEP = 'packages/replication/src/sweep.ts';
const PACKS = 'packages/replication/src/packs.ts';
const MERGE = 'packages/replication/src/merge.ts';
const RECORD = 'packages/replication/src/record.ts';
const VECTOR = 'packages/replication/src/vector.ts';
const FIELD = 'packages/replication/src/policies/field.ts';
const STAMP = 'packages/replication/src/stamp.ts';
const EVENT = 'packages/replication/src/event.ts';
const CONFLICTS = 'packages/replication/src/conflict-log.ts';
const SLOTS = 'packages/replication/src/policies/slots.ts';
const SET = 'packages/replication/src/policies/set.ts';
const COMPARE = 'packages/replication/src/anti-entropy/compare.ts';
const SKETCH = 'packages/replication/src/anti-entropy/sketch.ts';
const COUNTER = 'packages/replication/src/policies/counter.ts';
const LIVES = 'packages/replication/src/lives.ts';
const SEMANTICS = 'packages/replication/src/semantics.ts';
const MARKERS = 'packages/replication/src/markers.ts';
const BELIEF = 'packages/replication/src/belief.ts';
const COLLECT_TOMBSTONES = 'packages/replication/src/anti-entropy/collect-tombstones.ts';
const REPAIR = 'packages/replication/src/anti-entropy/repair.ts';
const ELEMENTS = 'packages/replication/src/anti-entropy/elements.ts';
const ISOLATE = 'packages/replication/src/isolate.ts';
const STATES = 'src/shared/domain/states.ts';
const SEND_AGAIN = 'src/shared/adapters/send-again.ts';

/** Where a defect shows only under faults that few seeds draw: they are on in every one. */
const MONTHS = { months: 1 } as const;
/** Sites that are cut off for longer than the horizon and then hear of each other late and twice, and of little else. */
const CUT_FOR_MONTHS = {
  ...MONTHS,
  partition: 5,
  reorder: 0.5,
  duplicate: 0.8,
  throttle: 0,
  outage: 0,
  jump: 0,
  poison: 0,
  forge: 0,
} as const;
const MIXED = { olderRelease: 0.5, months: 0 } as const;
const FORGED = { forge: 6, months: 0 } as const;
const DRIFTING = { drift: 4, months: 0 } as const;
const BAD = { badKey: 4, outboxLoss: 0.3, crash: 0.03, months: 0 } as const;
/** What is left of packs meets refusals, too. */
const THROTTLED = { throttle: 0.35, partition: 3, months: 0 } as const;
const LOSSY = {
  inboxLoss: 0.3,
  compare: 20,
  reorder: 0.6,
  duplicate: 0.5,
  crash: 0.12,
  months: 0,
} as const;

export const mutants: readonly Mutant[] = [
  mutant(
    'a write sets no markers',
    LOCAL_WRITE,
    'Object.fromEntries(peers.map((peer) => [peer, stamp]));',
    '{} as Record<string, Stamp>;',
  ),
  mutant(
    'a write marks only its first peer',
    LOCAL_WRITE,
    'Object.fromEntries(peers.map',
    'Object.fromEntries(peers.slice(0, 1).map',
  ),
  mutant(
    'a write keeps the marker of an earlier one',
    LOCAL_WRITE,
    '(peer) => [peer, stamp]',
    '(peer) => [peer, held?.pending[peer] ?? stamp]',
  ),
  mutant(
    'a write that lost its race is acknowledged',
    LOCAL_WRITE,
    "if (result?.status === 'written') {",
    "if (result?.status !== 'failed') {",
  ),
  mutant(
    'a write that failed is acknowledged',
    LOCAL_WRITE,
    "if (result?.status === 'failed') throw result.error;",
    "if (result?.status === 'failed') return { record };",
  ),
  mutant(
    'a write does not look for its own operation',
    LOCAL_WRITE,
    'if (current?.record.operations.includes(write.operationId) === true) return current;',
    '',
  ),
  mutant(
    'a write is stamped by the wall clock',
    LOCAL_WRITE,
    'after: isAhead ? undefined : newest }',
    'after: undefined }',
  ),
  mutant(
    'a stamp ignores what other sites wrote',
    LOCAL_WRITE,
    'laterStamp(newestStamp(held.state), held.version)',
    'held.version',
  ),
  mutant(
    'a write forgets what the others wrote in its vector',
    LOCAL_WRITE,
    '{ ...start?.vector, [site.site]: stamp }',
    '{ [site.site]: stamp }',
  ),
  mutant(
    'a write leaves itself out of the vector',
    LOCAL_WRITE,
    '{ ...start?.vector, [site.site]: stamp }',
    '{ [site.site]: stamp, ...start?.vector }',
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
    'const results = yield* sendTo(',
    'yield* clear(crossings, crossings.map(({ markers }) => markers), throttled);\n    const results = yield* sendTo(',
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
    'if (requests.length === 0) return failed;',
    'if (requests.length >= 0) return failed;',
  ),
  mutant(
    'forward clears every peer when one accepted',
    FORWARD,
    'if (Object.keys(newest).length > 0) byKey.set(key, newest);',
    'if (Object.keys(newest).length > 0) byKey.set(key, Object.fromEntries(crossings.flatMap(({ markers }) => Object.entries(markers))));',
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
    'const uncleared = yield* clear(crossings, accepted, throttled);',
    'for (const peer of new Set(crossings.flatMap(({ markers }) => Object.keys(markers)))) yield* send(peer, crossings.map(({ message }) => message));\n  const uncleared = yield* clear(crossings, accepted, throttled);',
  ),
  mutant(
    'apply takes the last arrival as it is',
    ARRIVALS,
    'state = merge.state;',
    'state = stateOf(event);',
  ),
  mutant(
    'apply acknowledges a write that lost its race',
    BATCH_MERGE,
    "if (result?.status === 'written') this",
    "if (result?.status !== 'failed') this",
  ),
  mutant(
    'apply acknowledges a write that failed',
    BATCH_MERGE,
    'this.results.set(key, result.error);',
    'this.results.set(key, undefined);',
  ),
  mutant(
    'apply acknowledges what it could not read',
    BATCH_MERGE,
    'this.results.set(key, failure);',
    'this.results.set(key, undefined);',
  ),
  mutant('apply loses the markers', ARRIVALS, '{ ...kept, state,', '{ ...kept, pending: {}, state,'),
  mutant(
    'apply sets markers of its own',
    ARRIVALS,
    '{ ...kept, state,',
    '{ ...kept, state, pending: Object.fromEntries(site.peers.map((p) => [p, Object.values(state.vector).sort().at(-1) ?? ""])),',
  ),
  mutant(
    'apply logs conflicts after the write',
    BATCH_MERGE,
    `      const changes = yield* this.#logLost(merged);
      if (changes.length === 0) return;
      const written = yield* putMany(changes);`,
    `      const changes = merged;
      if (changes.length === 0) return;
      const written = yield* putMany(changes);
      yield* this.#logLost(changes.filter((_, position) => written[position]?.status === 'written'));`,
  ),
  mutant(
    'apply merges what it could not log',
    BATCH_MERGE,
    'merged.filter(({ record }) => !unlogged.has(record.key));',
    'merged;',
  ),
  mutant(
    'an entry of the conflict log stays where it was written',
    CONFLICTS,
    'pending: Object.fromEntries(peers.map((peer) => [peer, stamp])),',
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
    LIVES,
    'if (!keepUnseenTombstone || state !== undefined) reset',
    'if (DELETED in reset) reset',
  ),
  mutant(
    'apply logs no conflicts',
    BATCH_MERGE,
    'merged.flatMap((change) => change.lost),',
    'merged.slice(0, 0).flatMap((change) => change.lost),',
  ),
  mutant('apply accepts any stamp', APPLY, 'if (aheadMs > clockAheadMaxMs) {', 'if (aheadMs === Infinity) {'),
  mutant(
    'apply refuses a skewed event for good without a reason',
    APPLY,
    'isOwnBusiness(event.key) ? dropped(event.key, error, message) : settled(error, message);',
    "{ kind: 'done' };",
  ),
  mutant(
    'apply takes events of strangers',
    APPLY,
    'if (!site.peers.includes(source)) {',
    "if (source === '') {",
  ),
  mutant(
    'one unreadable message stops its batch in apply',
    APPLY,
    'return unreadable(error);',
    'throw error;',
  ),
  mutant('arrival wins', MERGE, 'ours[0] === theirs[0] || outranks(theirs, ours)', 'theirs[0] !== ours[0]'),
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
    'const isLost = ours !== undefined && concurrent(',
    'const isLost = wins && ours !== undefined && concurrent(',
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
    'vector: state.vector,\n      ...(state',
    'vector: Object.fromEntries(Object.entries(state.vector).slice(0, 1)),\n      ...(state',
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
    'if (last === undefined) {',
    'if (last !== null) {\n      fromStart = true;',
  ),
  mutant(
    'the sweeper does not clear',
    SWEEP,
    'const results = yield* cross(packed, {',
    "const results = yield* cross(packed.map(({ key, message, markers }) => ({ key, message, markers: Object.fromEntries(Object.keys(markers).map((p) => [p, ''])) })), {",
  ),
  mutant(
    'the sweeper clears what it did not send',
    SWEEP,
    'message, markers }',
    "message, markers: Object.fromEntries(Object.keys(markers).map((p) => [p, 'zzzzzzzzzzzzz.z'])) }",
  ),
  mutant(
    'the sweeper sends to its first peer only',
    SWEEP,
    'receiversOf(site, record).includes(peer) &&',
    'receiversOf(site, record)[0] === peer &&',
  ),
  mutant(
    'a pack that the queue refuses counts as taken',
    PACKS,
    'else results[placed.index] = result;',
    'else results[placed.index] = undefined;',
  ),
  mutant(
    'a pack that is refused for good is given up with all that is in it',
    PACKS,
    'if (result !== undefined && !isRetryable(result)) alone.push(placed);',
    'if (result !== undefined && !isRetryable(result)) results[placed.index] = undefined;',
  ),
  mutant(
    'what cannot be applied of a pack is dropped',
    PACKS,
    'if (left.length === 0) return',
    'if (left.length >= 0) return',
  ),
  mutant(
    'a pack is done although the own queue did not take what is left of it',
    PACKS,
    "refused === undefined ? { kind: 'done' }",
    "refused !== null ? { kind: 'done' }",
    THROTTLED,
  ),
  mutant(
    'of a pack only what waits is tried again',
    PACKS,
    'report.dispositions[index]?.kind !== ' + "'done'",
    'report.dispositions[index]?.kind === ' + "'dead'",
  ),
  mutant(
    'a set keeps what was removed',
    SLOTS,
    'twin === undefined ? !covers(theirs.vector, slot[0]) : !replaces(twin, slot)',
    'twin === undefined || !replaces(twin, slot)',
  ),
  mutant(
    'a set drops what the other has not seen',
    SLOTS,
    'twin === undefined ? !covers(theirs.vector, slot[0]) : !replaces(twin, slot)',
    'twin !== undefined && !replaces(twin, slot)',
  ),
  mutant(
    'a set takes back what was removed',
    SLOTS,
    'twin === undefined ? !covers(ours.vector, slot[0]) : replaces(slot, twin)',
    'twin === undefined || replaces(slot, twin)',
  ),
  mutant('a set drops what both have', SLOTS, ': !replaces(twin, slot);', ': replaces(twin, slot);'),
  mutant(
    'of two slots the older one stands',
    SLOTS,
    'return stamp > heldStamp;',
    'return stamp < heldStamp;',
  ),
  mutant(
    'a counter keeps the older slot',
    SLOTS,
    'held === undefined || replaces(slot, held)',
    'held === undefined || replaces(held, slot)',
  ),
  mutant(
    'a counter keeps the slot that it has',
    SLOTS,
    'if (held === undefined || replaces(slot, held))',
    'if (held === undefined)',
  ),
  mutant(
    'a counter takes only the slots that it knows',
    SLOTS,
    'held === undefined || replaces',
    'held !== undefined && replaces',
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
    'packages/replication/src/policies/register.ts',
    '...(counter !== undefined && { counter: settled(counter) }),',
    '',
  ),
  mutant(
    'a write over a rank loses it',
    'packages/replication/src/policies/register.ts',
    ': [stamp, value, register[2]],',
    ': [stamp, value],',
  ),
  mutant(
    'an owner writes without rank',
    'packages/replication/src/policies/owned.ts',
    '[stamp, value, rank]',
    '[stamp, value]',
  ),
  mutant('the later stamp wins against the higher rank', FIELD, ': aRank > bRank;', ': a[0] > b[0];'),
  mutant(
    'a transition takes no rank',
    STATES,
    'return owned(rank < held ? held : rank, state)(parts, at);',
    'return { ...parts, register: [at.stamp, state] };',
  ),
  mutant(
    'a later state ranks lower',
    STATES,
    'const rank = String(ranksOf(states).get(state) ?? 0)',
    'const rank = String(50 * STEP - (ranksOf(states).get(state) ?? 0))',
  ),
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
    '...Object.values(stamps), ...slotsOf(state).map(([stamp]) => stamp)',
    '...Object.values(stamps)',
  ),
  mutant(
    'a conflict that could not be logged is taken as logged',
    CONFLICTS,
    "else if (result.status === 'failed') failed.set(key, result.error);",
    '',
  ),
  mutant(
    'two losers against one winner share an entry',
    CONFLICTS,
    '[key, field, loser[0], winner[0], ',
    '[key, field, winner[0], ',
  ),
  mutant(
    'two fields of one write share an entry',
    CONFLICTS,
    '[key, field, loser[0], winner[0], ',
    '[key, loser[0], winner[0], ',
  ),
  mutant(
    'the conflict log names the clock where the rank decided',
    CONFLICTS,
    "? 'newer' : 'higher rank'",
    "? 'newer' : 'newer'",
  ),
  mutant(
    'a delete keeps the values',
    'src/shared/domain/entity-service.ts',
    'return { ...emptied(state), [DELETED]: true };',
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
    'isLacking ? [key] : []',
    'isLacking ? [] : []',
  ),
  mutant(
    'a comparison takes an absent record for an equal one',
    ELEMENTS,
    'held === undefined || !includes(held, vectorOfName(name) ?? {})',
    'held !== undefined && !includes(held, vectorOfName(name) ?? {})',
  ),
  mutant('a repair only counts', COMPARE, 'const repaired = job.repair && ', 'const repaired = false && '),
  mutant(
    'a repair sends what it never wrote under no version',
    REPAIR,
    "const version = laterStamp(record.version, newestStamp(record.state)) ?? '';",
    "const version = record.version ?? '';",
  ),
  mutant(
    'the second side of a comparison does not end it',
    'packages/replication/src/anti-entropy/verification.ts',
    'if (other?.counted === undefined) return changes;',
    'if (other?.counted !== 0) return changes;',
  ),
  mutant(
    'a creation begins no life of its own',
    LOCAL_WRITE,
    'if (held !== undefined && (yield*',
    'if (held === null && (yield*',
  ),
  mutant(
    'a life is begun that a peer does not understand',
    SEMANTICS,
    '?.record) >= semantics',
    '?.record) >= 0',
    MIXED,
  ),
  mutant(
    'lives are merged by the rule of the release before',
    MERGE,
    'return ours === theirs ? mergeLife',
    'return ours >= 0 ? mergeLife',
  ),
  mutant(
    'the earlier life stands',
    MERGE,
    'overrule(local, remote, theirs > ours)',
    'overrule(local, remote, theirs < ours)',
  ),
  mutant(
    'what a register of an earlier life held is not logged',
    MERGE,
    'if (unseen(loser) && field !== ERASED)',
    "if (unseen(loser) && field === '')",
  ),
  mutant(
    'what was added to an earlier life is not logged',
    MERGE,
    "if (slot.startsWith('-') || !unseen(part)) continue;",
    "if (slot !== '' || !unseen(part)) continue;",
  ),
  mutant(
    'what its successor has seen of an earlier life is logged too',
    MERGE,
    '=> !covers(later.vector, stamp);',
    "=> stamp !== '' || !covers(later.vector, stamp);",
  ),
  mutant(
    'an event leaves the incarnation out',
    EVENT,
    '...(state.incarnation !== undefined && { incarnation: state.incarnation }),',
    '',
  ),
  mutant(
    'a tombstone that others have forgotten is merged',
    MERGE,
    'if (local === undefined || isForgotten(local, remote))',
    'if (local === undefined)',
    MONTHS,
  ),
  mutant(
    'a site keeps the markers of what it has forgotten',
    ARRIVALS,
    'if (merge.forgotten) own = undefined;',
    '',
    { ...MONTHS, oversized: 0, partition: 4, redrive: 1 },
  ),
  mutant(
    'a late message is merged into the life that began since',
    ARRIVALS,
    '(held === undefined || oldestMs(held) > event.sent_at)',
    'held === undefined',
    MONTHS,
  ),
  mutant(
    'a tombstone counts from its stamp',
    COLLECT_TOMBSTONES,
    'atMs - goneSince > keptMsOf(state) + tombstoneMarginMs &&',
    '',
    CUT_FOR_MONTHS,
  ),
  mutant(
    'a tombstone is removed without asking',
    COLLECT_TOMBSTONES,
    'const left = peersOf(site, record);',
    'const left: readonly SiteId[] = [];',
    CUT_FOR_MONTHS,
  ),
  mutant(
    'an event of the own past is as good as its marker',
    MARKERS,
    '`${version}${REPAIR}${hashText(revision)}`',
    '`${version}`',
    LOSSY,
  ),
  mutant(
    'a repair that dies has set no marker',
    REPAIR,
    'pending: { ...record.pending, [peer]: repairMarker(version, revision) },',
    'pending: record.pending,',
    LOSSY,
  ),
  mutant(
    'anybody may report for another site',
    BELIEF,
    'owner !== undefined && owner !== source',
    "owner !== undefined && owner === ''",
    FORGED,
  ),
  mutant(
    'a vector may name any site',
    BELIEF,
    'if (stranger === undefined) return undefined;',
    'if (stranger !== null) return undefined;',
    FORGED,
  ),
  mutant(
    'a peer may know what a site has not written',
    BELIEF,
    'isUnknown(claimed) && claimed >',
    "isUnknown(claimed) && claimed > 'zzzzzzzzzzzzz' + ",
    FORGED,
  ),
  mutant(
    'a peer may rewrite what a site has written',
    BELIEF,
    'if (field === undefined) return undefined;',
    "if (field !== '') return undefined;",
    FORGED,
  ),
  mutant(
    'an event may carry what its vector does not include',
    EVENT,
    'if (uncovered !== undefined) throw',
    "if (uncovered === '') throw",
    FORGED,
  ),
  mutant(
    'an event may name another state than it carries',
    EVENT,
    'if (idSource !== source || idKey !== key || !covers(vector, version))',
    'if (idSource !== source || idKey !== key)',
    FORGED,
  ),
  mutant(
    'a comparison goes by names alone',
    ELEMENTS,
    'return hashLanes(contents === true ? `${name}\\n${contentsOf(state)}` : name);',
    'return hashLanes(name);',
    DRIFTING,
  ),
  mutant(
    'a site lacks nothing that it names alike',
    ELEMENTS,
    'return contents !== undefined && stateName',
    "return contents === '' && stateName",
    DRIFTING,
  ),
  mutant(
    'what a counter has lost is not merged again',
    MERGE,
    'changed ||= !sameSlots(sets, local.sets) || !sameSlots(counters, local.counters);',
    '',
    DRIFTING,
  ),
  mutant(
    'a key that cannot be read stops those beside it',
    ISOLATE,
    'if (!isPermanent(error)) throw error;\n    const [key',
    'if (error !== null) throw error;\n    const [key',
    BAD,
  ),
  mutant(
    'a key that cannot be read takes those beside it along',
    ISOLATE,
    'if (keys.length === 1) return { held: new Map(), failed: new Map([[key, error]]) };',
    'if (keys.length > 0 || key === "") return { held: new Map(), failed: new Map(keys.map((each) => [each, error])) };',
    BAD,
  ),
  mutant(
    'the second half of what cannot be read together is forgotten',
    ISOLATE,
    'held: new Map([...first.held, ...second.held]),',
    'held: new Map([...first.held]),',
    BAD,
  ),
  mutant(
    'a page of a scan that is too large ends the comparison',
    ISOLATE,
    'if (size === 1) break;',
    'if (size > 0) throw error;',
    BAD,
  ),
  mutant(
    'a page of a scan that is refused at one record ends the comparison',
    ISOLATE,
    'if (size === 1) break;',
    'if (size === 1) throw error;',
    BAD,
  ),
  mutant(
    'a store that cannot tell what it refuses is scanned no further',
    ISOLATE,
    'if (behind === undefined) return { ...(yield* scanPage(undefined, limit, true)), again: true };',
    'if (behind === undefined) return { records: [] };',
    BAD,
  ),
  mutant(
    'a throttled try counts as an attempt',
    APPLY,
    "return { kind: 'retry', error: result, isNoAttempt: true };",
    "return (message?.attempts ?? 0) < inboundAttemptsMax ? { kind: 'retry', error: result } : dead(result);",
    { months: 1, busy: 8 },
  ),
  mutant(
    'what is sent again without an attempt has one more',
    SEND_AGAIN,
    'String(message.attempts - (isNoAttempt === true ? 1 : 0))',
    'String(message.attempts)',
    { months: 1, busy: 8, throttle: 0.1 },
  ),
  mutant(
    'the receives of a broker are taken for attempts',
    SEND_AGAIN,
    "const earlier = /^\\d{1,9}$/.test(attributes[ATTEMPTS] ?? '') ? Number(attributes[ATTEMPTS]) : 0;",
    "const earlier = Number(attributes['ApproximateReceiveCount'] ?? 0);",
    { months: 1, busy: 8, throttle: 0.1 },
  ),
  mutant(
    'the sweeper does not name what it cannot read',
    SWEEP,
    'for (const [key, error] of failed) refuse(this.refused, receivers(site), key, error);',
    '',
    BAD,
  ),
  mutant(
    'the sweeper does not name what a queue refuses',
    SWEEP,
    'else refuse(this.refused, [peer], key, error);',
    '',
    BAD,
  ),
  mutant(
    'the sweeper does not name a marker that stays',
    SWEEP,
    'if (uncleared !== undefined) refuse(this.refused, took, key, uncleared);',
    '',
    BAD,
  ),
  mutant(
    'the sweeper takes a queue that refuses one key for silent',
    SWEEP,
    'if (isRetryable(error)) this.silent[peer] = error.message;',
    'if (isRetryable(error) || error.message !== "") this.silent[peer] = error.message;',
    BAD,
  ),
  mutant(
    'a marker that stays stops the bridge',
    FORWARD,
    "if (isPermanent(error)) failed.set(requests[index]?.key ?? '', error);",
    'if (isPermanent(error)) throw new TypeError(`${index}`);',
    BAD,
  ),
  mutant(
    'apply takes what it cannot read for done',
    BATCH_MERGE,
    'for (const key of keys) if (!failed.has(key)) this.#known.set(key, held.get(key));\n      return failed;',
    'for (const key of keys) if (!failed.has(key)) this.#known.set(key, held.get(key));\n      return new Map();',
    BAD,
  ),
  mutant(
    'apply dead-letters what it cannot write without a reason',
    APPLY,
    'return dead(result);',
    "return { ...dead(result), reason: '' };",
    BAD,
  ),
  mutant(
    'a comparison does not name what it cannot read',
    COMPARE,
    "yield* noteUnusable(site, 'compare', unreadable);",
    '',
    BAD,
  ),
  mutant(
    'a comparison ends at an offer that it cannot read',
    COMPARE,
    'const { held, failed } = yield* readKeys(states.map(([key]) => key));',
    'const { held, failed } = yield* readKeys(states.map(([key]) => key));\n  for (const error of failed.values()) throw error;',
    BAD,
  ),
  mutant(
    'a repair ends at a record that it cannot read',
    REPAIR,
    'const failed = new Map(unreadable);',
    'const failed = new Map(unreadable);\n  for (const error of failed.values()) throw error;',
    { ...BAD, compare: 20, inboxLoss: 0.3 },
  ),
  mutant(
    'a tombstone that cannot be removed stops the others',
    COLLECT_TOMBSTONES,
    'if (!isPermanent(error)) throw error;',
    'if (error !== null) throw error;',
    { ...MONTHS, badKey: 40 },
  ),
];
