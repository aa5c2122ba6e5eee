/** The shop at the sites: what there is to sell and at which site, and what was ordered. */
import type { JSX } from 'preact';
import type { EntityFacts } from '../../server/entities.ts';
import { ApiError, ofSite } from '../api.ts';
import { useEntities } from '../entities.ts';
import { facts } from '../live.ts';
import { useLoaded } from '../loaded.ts';
import { chosenSite, Shown, Title } from '../parts/parts.tsx';
import { SiteChoice } from '../parts/site-choice.tsx';
import { route } from '../route.ts';
import { type RecordValues, textAt } from '../versions.ts';
import { OrderPage } from './shop-order.tsx';
import { Orders } from './shop-orders.tsx';
import { Stock } from './shop-stock.tsx';

/** `#/shop`, `#/shop/orders/<id>` */
export function Shop(): JSX.Element {
  const { args } = route.value;
  const loaded = useEntities();
  return (
    <Shown loaded={loaded}>
      {(entities) => {
        const order = entities.find(({ name }) => name === 'order');
        if (order === undefined)
          return (
            <>
              <Title text="Shop" />
              <p>This release has no orders.</p>
            </>
          );
        const [what, id] = args;
        if (what === 'orders' && id !== undefined) return <OrderPage key={id} entity={order} id={id} />;
        return <Whole order={order} />;
      }}
    </Shown>
  );
}

function Whole({ order }: { order: EntityFacts }): JSX.Element {
  const shop = facts.value?.links?.shop;
  return (
    <>
      <Title
        text="Shop"
        note="As one site knows it: its own stock exactly, that of others as it has arrived."
      >
        {shop !== undefined && (
          <a href={shop} target="_blank" rel="noreferrer">
            The page that customers see
          </a>
        )}
      </Title>
      <div class="filters">
        <SiteChoice label="Site" />
      </div>
      <Stock />
      <Orders entity={order} />
    </>
  );
}

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly pictures: readonly string[];
}

/** What was read of articles, for all views: names and pictures seldom change. */
const read = new Map<string, Product | undefined>();
const READ_MAX = 1_000;
const AT_ONCE = 4;

/** Names and pictures of articles; one that is not sold any more has none. */
export function useProducts(skus: readonly string[]): ReadonlyMap<string, Product | undefined> {
  const site = chosenSite();
  useLoaded(`products ${site ?? ''} ${skus.join(' ')}`, async (signal) => {
    const missing = site === undefined ? [] : skus.filter((sku) => !read.has(sku));
    if (read.size > READ_MAX) read.clear();
    for (let at = 0; at < missing.length && site !== undefined; at += AT_ONCE)
      await Promise.all(
        missing.slice(at, at + AT_ONCE).map(async (sku) => {
          try {
            const path = `products/${encodeURIComponent(sku)}`;
            read.set(sku, productOf(await ofSite<RecordValues>(site, path, { signal })));
          } catch (error) {
            if (error instanceof ApiError && error.status === 404) read.set(sku, undefined);
            else throw error;
          }
        }),
      );
  });
  return read;
}

function productOf(record: RecordValues): Product {
  const { pictures } = record;
  return {
    sku: textAt(record, 'sku', ''),
    name: textAt(record, 'name', ''),
    pictures: Array.isArray(pictures) ? pictures.map(String) : [],
  };
}

/** Its first picture, small; what it shows is said by the name beside it. */
export function Picture({ product }: { product: Product | undefined }): JSX.Element {
  const site = chosenSite();
  const [first] = product?.pictures ?? [];
  if (site === undefined || first === undefined) return <span class="thumb" aria-hidden="true" />;
  return (
    <img
      class="thumb"
      alt=""
      loading="lazy"
      width={48}
      height={48}
      src={`/api/pictures/${encodeURIComponent(site)}/${encodeURIComponent(first)}/small`}
    />
  );
}
