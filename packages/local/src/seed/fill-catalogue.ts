/**
 * The rest of the shop: products, some of each at every site, and a picture of each product, drawn here. One after the other and
 * behind everything else that is seeded, because thumbnails are made by functions that share this machine.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { product } from '../../../../src/shared/entities/product.ts';
import { catalogue, type Category, pictureIdOf } from './catalogue.ts';
import { drawPicture } from './draw-picture.ts';
import { authorization, create, REQUEST_TIMEOUT_MS } from './post.ts';

/** Named as in `shop.ts`. */
const BOOK = 'opening-stock';
const PAUSE_MS = 30;

export interface CatalogueReport {
  readonly products: number;
  readonly pictures: number;
}

/**
 * What is there already is left as it is.
 * @param url Of the edge or of one site. @param options.sites Of each site, which enters its own stock.
 * @throws Error naming what was refused
 */
export async function fillCatalogue(
  url: string,
  {
    token,
    sites,
    goesOn = () => true,
  }: {
    readonly token?: string | undefined;
    readonly sites: readonly string[];
    readonly goesOn?: () => boolean;
  },
): Promise<CatalogueReport> {
  const post = (site: string, path: string, body: object): Promise<boolean> =>
    create({ url: new URL(path, site), body, token, headers: {} }, path);
  let products = 0;
  for (const { body, units, sku } of catalogue()) {
    if (!goesOn()) break;
    if (!(await post(url, '/products', body))) continue;
    products += 1;
    if (units > 0)
      for (const site of sites) await post(site, `/inventory/${sku}/receipts`, { book: BOOK, total: units });
  }
  let pictures = 0;
  for (const [number, { sku, category, alt }] of shown().entries()) {
    if (!goesOn()) break;
    const pictureId = pictureIdOf(sku);
    if (await hasContent(new URL(`/pictures/${pictureId}`, url), token)) continue;
    const data = drawPicture(category, number).toString('base64');
    await post(url, '/pictures', { pictureId, sku, alt, upload: { contentType: 'image/png', data } });
    pictures += 1;
    await delay(PAUSE_MS);
  }
  return { products, pictures };
}

interface Shown {
  readonly sku: string;
  readonly category: Category;
  readonly alt: string;
}

function shown(): readonly Shown[] {
  const samples = Object.entries(product.samples).map(([sku, { category, name }]) => ({
    sku,
    category,
    name,
  }));
  const others = catalogue().map(({ sku, category, body }) => ({ sku, category, name: body['name'] }));
  return [...samples, ...others].map(({ sku, category, name }) => ({
    sku,
    category: category as Category,
    alt: `A drawing: ${String(name)}`,
  }));
}

async function hasContent(url: URL, token: string | undefined): Promise<boolean> {
  const response = await fetch(url, {
    headers: authorization(token),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const { content } = (await response.json()) as { readonly content?: unknown };
  return content !== undefined;
}
