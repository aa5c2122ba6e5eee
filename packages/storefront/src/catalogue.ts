/** What is for sale, read from whichever site answers. */
import type { TandemClient } from '@tandem-clouds/client';
import { ProblemError } from '@tandem-clouds/client/errors';
import type { Result } from '@tandem-clouds/client/types';
import { type Availability, beginsWith, type Product, readProduct } from './product.ts';

const PAGE = 24;
/** Products that are read for what has no list of its own: the front page, the names of the categories. */
const FRONT_PAGE = 100;
/** Products that are gone through for a search, page by page. */
const SEARCHED_MAX = 500;

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
  /** The sites have no such route: nobody has to be asked again. */
  #hasNoAvailability = false;

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
   * Those whose name begins so. Until the contract has a list by the beginning of a name, the list of all is gone through, as
   * far as `SEARCHED_MAX`; once it has, this function is the only place that changes.
   */
  async search(prefix: string, signal: AbortSignal): Promise<readonly Product[]> {
    const found: Product[] = [];
    let seen = 0;
    for await (const record of this.#tandem.collection('products').list({ limit: 100 }, { signal })) {
      const product = readProduct(record);
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
    if (this.#hasNoAvailability || skus.length === 0) return new Map();
    // The contract of today has no such route: it is asked for by name, and what comes is looked at.
    const ask = this.#tandem.GET as unknown as (path: string, init: object) => Promise<Result<unknown>>;
    try {
      const { data } = await ask(
        `/availability?${skus.map((sku) => `sku=${encodeURIComponent(sku)}`).join('&')}`,
        {
          signal,
        },
      );
      return readAvailability(data);
    } catch (error) {
      this.#hasNoAvailability = error instanceof ProblemError && error.status === 404;
      return new Map();
    }
  }

  async #page(
    query: { category?: string; order?: 'asc' | 'desc'; limit: number; cursor?: string },
    signal: AbortSignal,
  ): Promise<ProductPage> {
    const { data } = await this.#tandem.GET('/products', { params: { query }, signal });
    return {
      products: data.items.map(readProduct).filter((product) => product !== undefined),
      cursor: data.cursor,
    };
  }
}

const KNOWN: readonly unknown[] = ['in_stock', 'few', 'none'] satisfies Availability[];

function readAvailability(data: unknown): ReadonlyMap<string, Availability> {
  const { items } = (data ?? {}) as { items?: unknown };
  if (!Array.isArray(items)) return new Map();
  return new Map(
    (items as { sku: string; availability: Availability }[])
      .filter(({ availability }) => KNOWN.includes(availability))
      .map(({ sku, availability }) => [sku, availability]),
  );
}
