/** Writes the sample records through the API, as any client would. What exists is left as it is. */
import type { Entity } from '../../../../src/shared/domain/entity.ts';
import { entities } from '../../../../src/shared/registry/entities.ts';
import { creationHeaders } from '../creation-headers.ts';
import { authorization, create, REQUEST_TIMEOUT_MS } from './post.ts';
import { ITEMS } from './sample-data.ts';
import { seedShop, type ShopPost } from './shop.ts';

export interface SeedReport {
  readonly written: number;
  /** Records that were there already. */
  readonly present: number;
}

/**
 * @param url Base URL of the edge or of one site.
 * @param options.token What the records are written with, where they are not for everybody.
 * @param options.sites Base URL of each site, for what is written at one of them: stock, and orders.
 * @throws Error naming the record that was refused.
 */
export async function seed(
  url: string,
  {
    token,
    sites = [],
    declared = entities,
  }: {
    readonly token?: string | undefined;
    readonly sites?: readonly string[];
    readonly declared?: readonly Entity[];
  } = {},
): Promise<SeedReport> {
  let written = 0;
  let present = 0;
  const requests: readonly Sample[] = [
    ...declared.flatMap(samplesOf),
    ...ITEMS.map((item) => ({ path: '/write', name: `item ${item.id}`, body: item, headers: {} })),
  ];
  const filled = new Set<string>();
  for (const entity of declared)
    if (entity.ids !== undefined && (await hasRecords(new URL(`/${entity.collection}?limit=1`, url), token)))
      filled.add(`/${entity.collection}`);
  for (const { path, name, ...rest } of requests) {
    const isWritten = !filled.has(path) && (await create({ url: new URL(path, url), token, ...rest }, name));
    if (isWritten) written += 1;
    else present += 1;
  }
  // Its orders are there already when its products were.
  const orders = written === 0 || sites.length === 0 ? 0 : await seedShop(sites, (post) => send(post, token));
  return { written: written + orders, present };
}

/** @throws Error when it is refused, or the site does not answer */
async function send({ site, path, body, key, owner }: ShopPost, token: string | undefined): Promise<void> {
  const headers = {
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(owner !== undefined && { 'x-tandem-owner': owner }),
  };
  await create({ url: new URL(path, site), body, token, headers }, path);
}

interface Sample {
  readonly path: string;
  readonly name: string;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the ids derive from keys, those of the samples are names for people. */
function samplesOf(entity: Entity): readonly Sample[] {
  const { name, collection, idField, ids, samples } = entity;
  return Object.entries(samples).map(([id, fields]) => ({
    path: `/${collection}`,
    name: `${name} ${id}`,
    body: { ...(ids === undefined && { [idField]: id }), ...fields },
    headers: creationHeaders(entity),
  }));
}

/** A key of today makes another id than that of yesterday, so the samples are written where nothing is. */
async function hasRecords(url: URL, token: string | undefined): Promise<boolean> {
  const response = await fetch(url, {
    headers: authorization(token),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const { items = [] } = response.ok ? ((await response.json()) as { readonly items?: unknown[] }) : {};
  return items.length > 0;
}
