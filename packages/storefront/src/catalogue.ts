/** What is for sale, read from whichever site answers. */
import type { TandemClient } from '@tandem-clouds/client';
import { ProblemError } from '@tandem-clouds/client/errors';
import type { Language } from './language.ts';
import { type Availability, beginsWith, type Product, readProduct } from './product.ts';

const PAGE = 24;
/** Products that are read for what has no list of its own: the front page, the names of the categories. */
const FRONT_PAGE = 100;
/** Products that are gone through for a search, page by page. */
const SEARCHED_MAX = 500;
/** Of the beginning of a name: what the sites take. */
const PREFIX_CHARS_MAX = 100;
/** Products of one question of what there is: what the sites take. */
const ASKED_AT_ONCE = 50;

export interface ProductPage {
  readonly products: readonly Product[];
  /** Where the list goes on. */
  readonly cursor: string | undefined;
}

export interface ListOrder {
  readonly category: string;
  readonly order: 'asc' | 'desc';
}

export class Catalogue {
  readonly #tandem: TandemClient;

  constructor(tandem: TandemClient) {
    this.#tandem = tandem;
  }

  /** What is shown before anything was chosen. */
  async all(signal: AbortSignal): Promise<ProductPage> {
    return this.#page({ limit: FRONT_PAGE }, signal);
  }

  /** By price. @param cursor Of the page before. */
  async ofCategory(
    { category, order }: ListOrder,
    signal: AbortSignal,
    cursor?: string,
  ): Promise<ProductPage> {
    return this.#page({ category, order, limit: PAGE, ...(cursor !== undefined && { cursor }) }, signal);
  }

  /** Undefined: there is none. */
  async product(sku: string, signal: AbortSignal): Promise<Product | undefined> {
    try {
      const { data } = await this.#tandem.GET('/products/{sku}', { params: { path: { sku } }, signal });
      return readProduct(data);
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500) return undefined;
      throw error;
    }
  }

  /**
   * Those whose name begins so. The sites have a list of the names in English; of another language all that there is is gone
   * through, as far as `SEARCHED_MAX`.
   */
  async search(prefix: string, language: Language, signal: AbortSignal): Promise<readonly Product[]> {
    if (language === 'en') {
      const query = { listed: true, 'name[prefix]': prefix.slice(0, PREFIX_CHARS_MAX), limit: FRONT_PAGE };
      return (await this.#page(query, signal)).products;
    }
    const found: Product[] = [];
    let seen = 0;
    for await (const record of this.#tandem.collection('products').list({ limit: 100 }, { signal })) {
      const product = record.listed ? readProduct(record) : undefined;
      if (product !== undefined && beginsWith(product, prefix)) found.push(product);
      seen += 1;
      if (seen >= SEARCHED_MAX) break;
    }
    return found;
  }

  /** By article; empty where the sites do not say. */
  async availability(
    skus: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Availability>> {
    const parts = Array.from({ length: Math.ceil(skus.length / ASKED_AT_ONCE) }, (_, index) =>
      skus.slice(index * ASKED_AT_ONCE, (index + 1) * ASKED_AT_ONCE),
    );
    try {
      const answers = await Promise.all(
        parts.map((sku) => this.#tandem.GET('/availability', { params: { query: { sku } }, signal })),
      );
      const items = answers.flatMap(({ data }) => data.items);
      return new Map(items.map(({ sku, availability }) => [sku, availability]));
    } catch {
      return new Map();
    }
  }

  async #page(
    query: {
      category?: string;
      listed?: boolean;
      'name[prefix]'?: string;
      order?: 'asc' | 'desc';
      limit: number;
      cursor?: string;
    },
    signal: AbortSignal,
  ): Promise<ProductPage> {
    const { data } = await this.#tandem.GET('/products', { params: { query }, signal });
    return {
      // What is not listed is found by who knows it.
      products: data.items
        .filter(({ listed }) => listed)
        .map(readProduct)
        .filter((product) => product !== undefined),
      cursor: data.cursor,
    };
  }
}
