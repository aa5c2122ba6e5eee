/** Deliberate defects of where records are kept. Each must be found by the checkers of places. */
import { type Mutant, mutant } from '../mutated-source.ts';

const PLACEMENT = 'packages/replication/src/placement.ts';
const PURGE = 'packages/replication/src/anti-entropy/purge.ts';
const KNOWN = 'packages/replication/src/known-places.ts';
const FORGET = 'packages/replication/src/anti-entropy/forget-names.ts';
/** What functions of the release before need to be in the way. */
const SLOW = { pause: 0.04, crash: 0 };

export const placesMutants: readonly Mutant[] = [
  mutant(
    'an event is forwarded to every peer',
    'packages/replication/src/forward.ts',
    'const peers = receiversOf(site, { key: event.key, ...(site.keptAt && { state: stateOf(event) }) });',
    'const { peers } = site;',
  ),
  mutant(
    'an entry of the conflict log goes everywhere',
    'src/shared/domain/placement.ts',
    "if (entity === CONFLICT) return entityOf(textOf(state?.fields['record']?.[1]));",
    "if (entity === CONFLICT) return '';",
  ),
  mutant(
    'a write is taken wherever it comes',
    PLACEMENT,
    'if (keeps(site, site.site, { key })) return;',
    'return;',
  ),
  mutant(
    'the comparison offers what the other site does not keep',
    'packages/replication/src/anti-entropy/elements.ts',
    'if (!keeps(site, site.site === from ? to : from, { key, state })) return undefined;',
    '',
  ),
  mutant(
    'what is not kept is applied',
    'packages/replication/src/apply.ts',
    'if (!keeps(site, site.site, { key, ...(site.keptAt && { state: stateOf(event) }) }))',
    'if (false)',
  ),
  mutant(
    'what is not kept is removed though nobody holds it all',
    PURGE,
    'includes(record.state, vectorOfName(name) ?? {})',
    'true',
    { inboxLoss: 0.3 },
  ),
  mutant(
    'a marker for a site that does not keep the record stays',
    'packages/replication/src/sweep.ts',
    'if (requests.length > 0) yield* clearPending(requests);',
    '',
  ),
  mutant(
    'what is not kept is removed as soon as that is known',
    KNOWN,
    'return sinceMs !== undefined && site.now() - sinceMs >= placesSettleMs;',
    'return sinceMs !== undefined;',
    SLOW,
  ),
  mutant(
    'what is not kept is removed while the last function of the release before may still run',
    KNOWN,
    '>= placesSettleMs',
    '>= placesSettleMs / 60',
    SLOW,
  ),
  mutant(
    'a site that was taken back to the release before has known the declaration all the time',
    KNOWN,
    ' && beatMs === heartbeat?.state.fields[BEATEN_AT]?.[1]',
    '',
    SLOW,
  ),
  mutant(
    'the result of a comparison names what every site kept when it was found',
    FORGET,
    'forgetExamples(site, result)',
    'forgetUnusable(site)',
    { compare: 4 },
  ),
  mutant(
    'the place of a comparison stays where it was',
    FORGET,
    'forgetPlace(site, cursor)',
    'forgetUnusable(site)',
    { compare: 4, pause: 0.05 },
  ),
];
