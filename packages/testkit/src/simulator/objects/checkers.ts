/**
 * Invariant 21, content: what a site claims its storage has said, what was acknowledged is at hand or honestly is not, and
 * whoever has something to do about it has an entry for that.
 *
 * By what the storages really have: neither their answers nor the product's code is asked.
 */
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import { logOf } from '../../checkers/conflicts.ts';
import type { AppliedPut, CommittedWrite, Finding } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Watcher } from '../world.ts';
import type { Holding } from './holding.ts';

const invariant = '21 content';
const HOLD = 'hold';
const CROSSING = 'crossing';
/** Of the bytes that were uploaded, how many more may cross where nothing goes wrong. */
const CROSSED_SHARE_MAX = 1.02;

/** Sees every put and every change of a storage when it takes effect. */
export class HeldWatcher implements Watcher {
  readonly #holding: Holding;
  /** Site and name of what a storage had just as it was sent. */
  readonly #had = new Set<string>();
  /** Likewise of what it has lost by itself, until it has it again. */
  readonly #damaged = new Set<string>();
  readonly #everDamaged = new Set<string>();

  constructor(holding: Holding) {
    this.#holding = holding;
    holding.storages.onChanged = (site, name) => this.#changed(site, name);
  }

  committed({ key, site, replaced }: CommittedWrite): void {
    const record = this.#holding.world.site(site).store.records.get(key);
    if (record === undefined || !this.#holding.contents.may(key)) return;
    const before = replaced === undefined ? [] : claimsOf(replaced.state);
    for (const each of claimsOf(record.state)) if (!before.includes(each)) this.#checkClaim(key, each, site);
    this.#checkEntries(site, record);
  }

  applied({ key, site, after }: AppliedPut): void {
    if (this.#holding.contents.may(key)) this.#checkEntries(site, after);
  }

  /** A storage has lost something, or holds it otherwise, by itself. */
  damaged({ name: site }: SimSite, name: string): void {
    this.#damaged.add(`${site} ${name}`);
    this.#everDamaged.add(name);
  }

  /** Whether a storage has just what a client has sent by an upload. */
  isRight(site: SimSite, name: string): boolean {
    const upload = this.#holding.uploads.get(name.split('/').at(-1) ?? '');
    return upload !== undefined && this.#holding.storages.textAt(site, name) === upload.text;
  }

  /** Whether the bytes may be gone: damage, or a site that is lost, has had them. */
  isExcused(name: string): boolean {
    const { lost } = this.#holding;
    return this.#everDamaged.has(name) || (lost !== undefined && this.#had.has(`${lost.name} ${name}`));
  }

  #changed(site: SimSite, name: string): void {
    const at = `${site.name} ${name}`;
    if (this.isRight(site, name)) {
      this.#had.add(at);
      this.#damaged.delete(at);
      return;
    }
    if (!this.#had.delete(at) || this.#damaged.has(at)) return;
    const [key, upload] = [keyOf(name), name.split('/').at(-1) ?? ''];
    for (const other of this.#holding.world.sites) {
      if (other.lost) continue;
      const record = other.store.records.get(key);
      if (record !== undefined && contentOf(record.state)?.upload === upload)
        this.#find(key, `${site.name} has deleted the content of ${other.name}: ${upload}`);
      if (losersOf(other, key).includes(upload))
        this.#find(key, `${site.name} has deleted what ${other.name} may put back: ${upload}`);
    }
  }

  /** Held means verified. */
  #checkClaim(key: string, each: string, by: string): void {
    const [upload = '', site = ''] = each.split('@');
    const name = this.#holding.uploads.get(upload)?.name ?? '';
    const at = this.#holding.world.site(site);
    const isGone = this.#had.has(`${site} ${name}`) && (at.lost || this.#damaged.has(`${site} ${name}`));
    if (!isGone && !this.isRight(at, name))
      this.#find(key, `${by} wrote that ${site} has ${upload}, and it has not`);
  }

  /** What is not done yet is in the index of those who have to do it, and of who would take it away if it were lost. */
  #checkEntries(name: string, { key, state, reactions = {} }: StoredRecord): void {
    const content = contentOf(state);
    if (content === undefined) return;
    const { peers } = this.#holding.world.site(name);
    const lacks = (site: string): boolean => !claimsOf(state).includes(`${content.upload}@${site}`);
    if (lacks(name) && reactions[HOLD]?.effectId === undefined)
      this.#find(key, `${name} lacks ${content.upload}, and has nothing to do about it`);
    const isOrigin = content.upload.startsWith(`${name}.`);
    if (isOrigin && peers.some(lacks) && reactions[CROSSING]?.effectId === undefined)
      this.#find(key, `${name} does not know that ${content.upload} is crossing`);
  }

  #find(key: string, detail: string): void {
    this.#holding.world.find([{ invariant, key, detail }]);
  }
}

/** Everything that must hold once all has come to rest. */
export function checkContent(holding: Holding, watcher: HeldWatcher): Finding[] {
  const survivors = holding.world.sites.filter((site) => site !== holding.lost);
  return survivors.flatMap((site) =>
    [...site.store.records.values()].flatMap((record) => {
      if (!holding.contents.may(record.key)) return [];
      const content = contentOf(record.state);
      const details = [
        ...checkParked(record),
        ...(content === undefined
          ? checkNoneGone(holding, record)
          : checkAtHand(holding, watcher, { site, record, ...content })),
        ...checkLosers(holding, watcher, { site, record }),
      ];
      return details.map((detail) => ({ invariant, key: record.key, detail: `${site.name}: ${detail}` }));
    }),
  );
}

interface At {
  readonly site: SimSite;
  readonly record: StoredRecord;
}

/** Acknowledged means readable, at every site; or nobody who is there says that he has it, and the record names who had. */
function checkAtHand(
  { world, lost, uploads, acknowledged }: Holding,
  watcher: HeldWatcher,
  { site, record, upload }: At & { readonly upload: string },
): string[] {
  const name = uploads.get(upload)?.name ?? '';
  const holders = claimsOf(record.state).flatMap((each) =>
    each.startsWith(`${upload}@`) ? [each.slice(upload.length + 1)] : [],
  );
  const isAtHand = world.sites.some((each) => watcher.isRight(each, name));
  if (isAtHand) {
    if (!watcher.isRight(site, name)) return [`has not got ${upload}, which is at hand elsewhere`];
    if (!holders.includes(site.name)) return [`has ${upload} and does not say so`];
    const isDue = [HOLD, CROSSING].filter((each) => record.reactions?.[each]?.effectId !== undefined);
    return isDue.map((reaction) => `${reaction} is still to be done of ${upload}, which every site has`);
  }
  if (!acknowledged.has(upload)) return [];
  const living = holders.filter((each) => each !== lost?.name);
  if (living.length > 0) return [`says that ${living.join(', ')} has ${upload}, which nobody has`];
  return watcher.isExcused(name) ? [] : [`${upload} was acknowledged, and is nowhere`];
}

/** What was acknowledged gives way to another upload, or to a delete, and to nothing else. */
function checkNoneGone({ lost, acknowledged, uploads, deleted }: Holding, { key }: StoredRecord): string[] {
  if (lost !== undefined || deleted.has(key)) return [];
  const gone = [...acknowledged].filter((upload) => uploads.get(upload)?.key === key);
  return gone.length === 0 ? [] : [`has no content, and ${gone.join(', ')} was acknowledged`];
}

/** What lost can be put back for as long as its entry stands. */
function checkLosers(holding: Holding, watcher: HeldWatcher, { site, record }: At): string[] {
  const { world, uploads } = holding;
  return losersOf(site, record.key).flatMap((upload) => {
    const name = uploads.get(upload)?.name ?? '';
    const isThere = world.sites.some((each) => watcher.isRight(each, name)) || watcher.isExcused(name);
    return isThere ? [] : [`${upload} is in the conflict log and nowhere else`];
  });
}

/** The uploads of a record that stand in a site's conflict log. */
function losersOf(site: SimSite, key: string): readonly string[] {
  const isThere = ({ state }: StoredRecord): boolean =>
    Number(state.fields['$expires']?.[1] ?? Infinity) * 1_000 > site.now();
  const entries = new Map([...site.store.records].filter(([, record]) => isThere(record)));
  return logOf(site.name, entries)
    .filter((entry) => entry.key === key && entry.field === 'content' && entry.value !== 'null')
    .map(({ value }) => (JSON.parse(value) as { readonly upload: string }).upload);
}

/** Long after: what no record uses and nobody may put back is gone. */
export function checkTidy({ world, storages, uploads }: Holding): Finding[] {
  return world.sites.flatMap((site) =>
    [...(site.lost ? [] : storages.of(site.name).objects.keys())].flatMap((name) => {
      const key = keyOf(name);
      const record = site.store.records.get(key);
      const upload = name.split('/').at(-1) ?? '';
      const isUsed = record === undefined || contentOf(record.state)?.upload === upload;
      if (isUsed || losersOf(site, key).includes(upload) || !uploads.has(upload)) return [];
      return [{ invariant, key, detail: `${site.name} still has ${upload}, which nothing uses` }];
    }),
  );
}

function checkParked({ reactions = {} }: StoredRecord): string[] {
  return Object.entries(reactions).flatMap(([reaction, { parked, detail }]) =>
    parked === undefined ? [] : [`${reaction} is parked as ${parked.reason}: ${detail ?? ''}`],
  );
}

/** Where nothing goes wrong, nothing is fetched twice. */
export function checkCrossed({ world, storages, acknowledged, uploads }: Holding): Finding[] {
  const bytes = [...acknowledged].reduce((sum, id) => sum + (uploads.get(id)?.text.length ?? 0), 0);
  const { crossedBytes } = storages.counts;
  const most = CROSSED_SHARE_MAX * bytes * (world.sites.length - 1);
  if (crossedBytes <= most) return [];
  return [{ invariant, detail: `${crossedBytes} bytes crossed, of ${bytes} that were uploaded` }];
}

/** What a record shows as its content. */
function contentOf({ fields }: RecordState): { readonly upload: string } | undefined {
  const value = fields['content']?.[1] as { readonly upload: string } | null | undefined;
  return fields['$deleted']?.[1] === true || value === null ? undefined : value;
}

function claimsOf({ fields, sets = {} }: RecordState): readonly string[] {
  const register = fields['heldBy']?.[1];
  const slots = Object.values(sets['heldBy'] ?? {}).flatMap(([, element]) =>
    typeof element === 'string' ? [element] : [],
  );
  return [...(Array.isArray(register) ? register.map(String) : []), ...slots];
}

/** Of the name of an upload. */
function keyOf(name: string): string {
  const [, entity = '', id = ''] = name.split('/');
  return `${entity}:${id}`;
}
