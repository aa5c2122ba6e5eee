/**
 * Where records are kept. By default everywhere; of an entity whose data may not leave some places, at those sites only.
 *
 * Invariant: nothing that names or holds a record goes to a site that does not keep it: no marker, event, pack, step of a
 * comparison, and nothing in a record that is kept everywhere. What a site does not keep and receives all the same it drops,
 * and says how often. Where a record is kept follows from its key and state alone, so all who run one release agree; a site
 * of another release may not, and then whoever keeps less counts, at both ends of a direction.
 */
import { NotKeptHereError } from './errors.ts';
import type { Site } from './protocol.ts';
import { entityOf, idOf, type RecordState } from './record.ts';
import { CONFLICT, isKeptByItsSite, UNIQUE } from './reserved.ts';
import type { SiteId } from './stamp.ts';

type Placed = Pick<Site, 'site' | 'peers' | 'keptAt'>;
interface Named {
  readonly key: string;
  readonly state?: RecordState;
}

/** Whether a site keeps a record. */
export function keeps({ keptAt }: Pick<Site, 'keptAt'>, at: SiteId, { key, state }: Named): boolean {
  if (isKeptByItsSite(entityOf(key))) return idOf(key).split('.')[0] === at;
  return keptAt?.(key, state)?.includes(at) ?? true;
}

/** The peers that keep a record. */
export function peersOf(site: Placed, record: Named): readonly SiteId[] {
  return site.peers.filter((peer) => keeps(site, peer, record));
}

/**
 * Whether a record is kept at some sites only, or may be, so that what is kept everywhere must not name it. Of what is about
 * another record the key alone does not always say it.
 */
export function isConfined({ keptAt }: Pick<Site, 'keptAt'>, { key, state }: Named): boolean {
  if (keptAt === undefined) return false;
  const isUnsaid = state === undefined && [CONFLICT, UNIQUE].includes(entityOf(key));
  return isUnsaid || keptAt(key, state) !== undefined;
}

/** How a record is called in what is kept everywhere: confined ones by their entity alone. */
export function openName(site: Pick<Site, 'keptAt'>, key: string): string {
  return isConfined(site, { key }) ? `${entityOf(key)}:*` : key;
}

/** @throws NotKeptHereError */
export function requireKept(site: Placed, key: string): void {
  if (keeps(site, site.site, { key })) return;
  const sites = site.keptAt?.(key) ?? [];
  throw new NotKeptHereError(`records of ${entityOf(key)} are kept at ${sites.join(', ')} only`, sites);
}
