/** Writes the sample records through the API, as any client would. What exists is left as it is. */
import { setTimeout as delay } from 'node:timers/promises';
import { entities } from '../../../../src/shared/registry/entities.ts';
import { ITEMS } from './sample-data.ts';
import { seedShop, type ShopPost } from './shop.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 300;

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
  { token, sites = [] }: { readonly token?: string | undefined; readonly sites?: readonly string[] } = {},
): Promise<SeedReport> {
  let written = 0;
  let present = 0;
  const requests = [
    ...entities.flatMap(({ name, collection, idField, samples }) =>
      Object.entries(samples).map(([id, fields]) => ({
        path: `/${collection}`,
        name: `${name} ${id}`,
        body: { [idField]: id, ...fields },
      })),
    ),
    ...ITEMS.map((item) => ({ path: '/write', name: `item ${item.id}`, body: item })),
  ];
  for (const { path, name, body } of requests) {
    if (await create({ url: new URL(path, url), body, token }, name)) written += 1;
    else present += 1;
  }
  // Its orders are there already when its products were.
  const orders = written === 0 || sites.length === 0 ? 0 : await seedShop(sites, (post) => send(post, token));
  return { written: written + orders, present };
}

/** @throws Error when it is refused, or the site does not answer */
async function send({ site, path, body, ...named }: ShopPost, token: string | undefined): Promise<void> {
  await create({ url: new URL(path, site), body, token, ...named }, path);
}

interface Post {
  readonly url: URL;
  readonly body: object;
  readonly token: string | undefined;
  /** Its `Idempotency-Key`. */
  readonly key?: string | undefined;
  /** For whom it is made. */
  readonly owner?: string | undefined;
}

/** False when it exists. A repeated attempt is harmless: the ids are fixed. */
async function create(request: Post, name: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const { status, detail } = await post(request);
    if (status === 200 || status === 201) return true;
    // 409: a record with this id; 412: If-None-Match refused to replace an item.
    if (status === 409 || status === 412) return false;
    const passing = status === undefined || status >= 500 || status === 429;
    if (!passing || attempt === ATTEMPTS_MAX) throw new Error(`${name}: ${detail}`);
    await delay(PAUSE_MS);
  }
}

async function post({
  url,
  body,
  token,
  key,
  owner,
}: Post): Promise<{ status: number | undefined; detail: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // Of what is known by its id; what has a key is found by that.
        ...(key === undefined ? { 'if-none-match': '*' } : { 'idempotency-key': key }),
        ...(owner !== undefined && { 'x-tandem-owner': owner }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, detail: `HTTP ${response.status} ${await response.text()}` };
  } catch (error) {
    return { status: undefined, detail: error instanceof Error ? error.message : String(error) };
  }
}
