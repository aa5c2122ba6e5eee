/** Deliberate defects of where records are kept. Each must be found by the checkers of places. */
import { type Mutant, mutant } from '../mutated-source.ts';

const PLACEMENT = 'packages/replication/src/placement.ts';
const PURGE = 'packages/replication/src/anti-entropy/purge.ts';

export const placesMutants: readonly Mutant[] = [
  mutant(
    'an event is forwarded to every peer',
    'packages/replication/src/forward.ts',
    'const peers = peersOf(site, { key: event.key, ...(site.keptAt && { state: stateOf(event) }) });',
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
];
