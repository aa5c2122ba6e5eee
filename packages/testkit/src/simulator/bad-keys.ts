/**
 * Keys that a site's store, or its inbound queue, refuses for good, until operators have mended it. Everything else must go on
 * meanwhile, and what waits must be named with its reason: invariant 14.
 */
import { type AppError, RefusedError, TooLargeError } from '@tandem-clouds/replication/errors';
import type { ScanPage } from '@tandem-clouds/replication/ports/store';
import { UnreadableError } from '../../../../src/shared/errors.ts';
import type { Badness } from './badness.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

const KINDS: readonly Badness[] = ['unreadable', 'unscannable', 'unwritable', 'page', 'too large', 'refused'];
const TOGETHER_MAX = 2;

/** Makes a key bad at a site, both at random. Returns what mends it. */
export function makeBad(world: World, site: SimSite): () => void {
  const { random } = world;
  const known = [...site.store.records.keys()].filter((key) => !/^(heartbeat|pause|verification):/.test(key));
  const kind = random.pick(KINDS);
  if (known.length === 0) return () => undefined;
  const key = random.pick(known.sort());
  if (site.bad.has(key)) return () => undefined;
  site.bad.set(key, kind);
  const end = world.begin(`${key} is ${kind === 'page' ? 'refused with others' : kind}`, [site.name]);
  return () => {
    end();
    site.bad.delete(key);
  };
}

/** Why a read of these keys fails for good, if it does. */
export function readRefusal(site: SimSite, keys: readonly string[]): AppError | undefined {
  if (site.bad.size === 0) return undefined;
  for (const key of keys) {
    const kind = site.bad.get(key);
    if (kind === 'unreadable') return new UnreadableError(`${key} is no record`);
    if (kind === 'unscannable') return new RefusedError(`${key} cannot be read`);
    if (kind === 'page' && keys.length > TOGETHER_MAX)
      return new TooLargeError('the answer would be too large');
  }
  return undefined;
}

/** Why a change of this key fails for good, if it does. */
export function changeRefusal(site: SimSite, key: string): AppError | undefined {
  return site.bad.get(key) === 'unwritable' ? new RefusedError(`${key} cannot be written`) : undefined;
}

/** A page of a scan as a site answers it. @throws TooLargeError */
export function scannedPage(site: SimSite, page: ScanPage): ScanPage {
  if (site.bad.size === 0) return page;
  const isKind =
    (kind: Badness) =>
    (key: string): boolean =>
      site.bad.get(key) === kind;
  const keys = page.records.map(({ key }) => key);
  if (keys.length > TOGETHER_MAX && keys.some(isKind('page')))
    throw new TooLargeError('the page would be too large');
  if (keys.some(isKind('unscannable'))) throw new RefusedError('the page cannot be read');
  const unreadable = new Map(
    keys.filter(isKind('unreadable')).map((key) => [key, new UnreadableError(`${key} is no record`)]),
  );
  if (unreadable.size === 0) return page;
  return { ...page, records: page.records.filter(({ key }) => !unreadable.has(key)), unreadable };
}

/** Why a site's inbound queue refuses a message for good, if it does. */
export function sendRefusal(to: SimSite, body: string): AppError | undefined {
  if (to.bad.size === 0) return undefined;
  const { key } = JSON.parse(body) as { readonly key: string };
  const kind = to.bad.get(key);
  if (kind === 'too large') return new TooLargeError(`${key} is too large for the queue`);
  return kind === 'refused' ? new RefusedError(`the queue does not take ${key}`) : undefined;
}
