import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useLoaded } from '../loaded.ts';
import { inLanguage, type Product } from '../product.ts';
import { hrefOf } from '../route.ts';
import { useShop } from '../shop-context.ts';
import { AddButton, AvailabilityText, Nothing, Picture, Price, Skeletons, Title, Units } from './parts.tsx';

export function ProductView({ sku }: { sku: string }): JSX.Element {
  const shop = useShop();
  const { value, isRetrying } = useLoaded(`product ${sku}`, async (signal) => ({
    product: await shop.catalogue.product(sku, signal),
  }));
  if (value === undefined) return <Skeletons count={2} kind="product" isRetrying={isRetrying} />;
  const { product } = value;
  if (product === undefined) return <Nothing text={shop.texts.value.noProduct} />;
  return <Sheet product={product} />;
}

function Sheet({ product }: { product: Product }): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const [units, setUnits] = useState(1);
  const { sku, category, priceMinor, currency } = product;
  const { name, description } = inLanguage(product, shop.language.value);
  const available = useLoaded(`available ${sku}`, (signal) => shop.catalogue.availability([sku], signal));
  const availability = available.value?.get(sku);
  const isInCart = shop.cart.value.some((line) => line.sku === sku);
  return (
    <article class="product">
      <Picture product={product} size="large" />
      <div class="about">
        {category !== undefined && (
          <a class="kind" href={hrefOf({ view: 'category', category })}>
            {category}
          </a>
        )}
        <Title text={name} />
        <p class="big">
          <Price minor={priceMinor} currency={currency} />
          <AvailabilityText of={availability} />
        </p>
        {description !== undefined && <p class="description">{description}</p>}
        <div class="buy">
          <Units name={name} units={units} onChange={setUnits} />
          <AddButton product={product} availability={availability} units={units} />
        </div>
        {isInCart && (
          <p role="status" class="done">
            {texts.added(name)} <a href={hrefOf({ view: 'cart' })}>{texts.toCart}</a>
          </p>
        )}
        <p class="small">
          {texts.article}: <code>{sku}</code>
        </p>
      </div>
    </article>
  );
}
