/** Products: all, of a category, by the beginning of their name. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ProductPage } from '../catalogue.ts';
import { useLoaded } from '../loaded.ts';
import type { Product } from '../product.ts';
import { useShop } from '../shop-context.ts';
import { ProductCard, Skeletons, Title } from './parts.tsx';

const SKELETONS = 8;

export function Home(): JSX.Element {
  const shop = useShop();
  const loaded = useLoaded('all', (signal) => shop.catalogue.all(signal));
  const { slogan, shop: name } = shop.texts.value;
  return (
    <>
      <div class="hero">
        <Title text={name} />
        <p>{slogan}</p>
      </div>
      {loaded.value === undefined ? (
        <Skeletons count={SKELETONS} kind="grid" isRetrying={loaded.isRetrying} />
      ) : (
        <Grid products={loaded.value.products} />
      )}
    </>
  );
}

export function Category({ category }: { category: string }): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const [order, setOrder] = useState<'asc' | 'desc'>('asc');
  const key = `${order} ${category}`;
  const first = useLoaded(key, (signal) => shop.catalogue.ofCategory({ category, order }, signal));
  return (
    <>
      <div class="head">
        <Title text={category} />
        <label class="sort">
          {texts.sort}
          <select
            value={order}
            onChange={({ currentTarget }) => setOrder(currentTarget.value === 'desc' ? 'desc' : 'asc')}
          >
            <option value="asc">{texts.cheapest}</option>
            <option value="desc">{texts.dearest}</option>
          </select>
        </label>
      </div>
      {first.value === undefined ? (
        <Skeletons count={SKELETONS} kind="grid" isRetrying={first.isRetrying} />
      ) : (
        <Pages
          key={key}
          first={first.value}
          read={(cursor, signal) => shop.catalogue.ofCategory({ category, order }, signal, cursor)}
        />
      )}
    </>
  );
}

interface PagesProps {
  readonly first: ProductPage;
  readonly read: (cursor: string, signal: AbortSignal) => Promise<ProductPage>;
}

function Pages({ first, read }: PagesProps): JSX.Element {
  const texts = useShop().texts.value;
  const [{ products, cursor }, setPage] = useState(first);
  const [state, setState] = useState<'idle' | 'loading' | 'failed'>('idle');
  const more = async (from: string): Promise<void> => {
    setState('loading');
    try {
      const next = await read(from, new AbortController().signal);
      setPage({ products: [...products, ...next.products], cursor: next.cursor });
      setState('idle');
    } catch {
      setState('failed');
    }
  };
  return (
    <>
      <Grid products={products} />
      {cursor !== undefined && (
        <button type="button" class="more" disabled={state === 'loading'} onClick={() => void more(cursor)}>
          {state === 'loading' ? texts.loading : texts.more}
        </button>
      )}
      {state === 'failed' && (
        <p role="status" class="notice">
          {texts.retrying}
        </p>
      )}
    </>
  );
}

export function Search({ prefix }: { prefix: string }): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const { value, isRetrying } = useLoaded(`search ${shop.language.value} ${prefix}`, (signal) =>
    shop.catalogue.search(prefix, shop.language.value, signal),
  );
  return (
    <>
      <Title text={texts.resultsFor(prefix)} />
      {value === undefined ? (
        <Skeletons count={4} kind="grid" isRetrying={isRetrying} />
      ) : (
        <>
          <p role="status">{value.length === 0 ? texts.noneFound : texts.found(value.length)}</p>
          <Grid products={value} />
        </>
      )}
    </>
  );
}

function Grid({ products }: { products: readonly Product[] }): JSX.Element {
  const shop = useShop();
  const skus = products.map(({ sku }) => sku);
  const availability = useLoaded(`available ${skus.join(' ')}`, (signal) =>
    shop.catalogue.availability(skus, signal),
  );
  useEffect(() => shop.saw(products), [products]);
  const { noneFound } = shop.texts.value;
  if (products.length === 0) return <p class="empty">{noneFound}</p>;
  return (
    <ul class="grid">
      {products.map((product) => (
        <ProductCard
          key={product.sku}
          product={product}
          availability={availability.value?.get(product.sku)}
        />
      ))}
    </ul>
  );
}
