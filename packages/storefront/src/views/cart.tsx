import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { totalMinor } from '../cart.ts';
import { priceText } from '../money.ts';
import { hrefOf } from '../route.ts';
import type { Shop } from '../shop.ts';
import { useShop } from '../shop-context.ts';
import { Nothing, Price, Title, Units } from './parts.tsx';

/** Names and prices of what is in the cart, as they are now: an order at an old price would be refused. */
export function useCurrentPrices(shop: Shop): void {
  useEffect(() => {
    const leave = new AbortController();
    for (const { sku } of shop.cart.peek())
      shop.catalogue.product(sku, leave.signal).then(
        (product) => {
          if (!leave.signal.aborted) shop.refresh(sku, product);
        },
        // Without an answer the price stays as it was shown, and the sites compare it.
        () => undefined,
      );
    return () => leave.abort(new DOMException('the view was left', 'AbortError'));
  }, []);
}

export function CartView(): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const cart = shop.cart.value;
  useCurrentPrices(shop);
  if (cart.length === 0) return <Nothing title={texts.cart} text={texts.emptyCart} />;
  return (
    <>
      <Title text={texts.cart} />
      <div class="columns">
        <ul class="lines">
          {cart.map(({ sku, name, units, priceMinor, currency }) => (
            <li key={sku}>
              <div class="line-name">
                <a href={hrefOf({ view: 'product', sku })}>{name}</a>
                <span class="small">{texts.each(priceText(priceMinor, currency, shop.language.value))}</span>
              </div>
              <Units name={name} units={units} onChange={(wanted) => shop.setUnits(sku, wanted)} />
              <Price minor={units * priceMinor} currency={currency} />
              <button
                type="button"
                class="quiet"
                aria-label={texts.removeNamed(name)}
                onClick={() => shop.setUnits(sku, 0)}
              >
                {texts.remove}
              </button>
            </li>
          ))}
        </ul>
        <aside class="summary">
          <p class="total">
            <span>{texts.total}</span>
            <Price minor={totalMinor(cart)} currency={cart[0]?.currency ?? 'EUR'} />
          </p>
          <a class="button" href={hrefOf({ view: 'checkout' })}>
            {texts.checkout}
          </a>
        </aside>
      </div>
    </>
  );
}
