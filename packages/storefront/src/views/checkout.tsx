import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { totalMinor } from '../cart.ts';
import { priceText } from '../money.ts';
import { useShop } from '../shop-context.ts';
import { useCurrentPrices } from './cart.tsx';
import { Nothing, Price, Title } from './parts.tsx';

/** Of Stripe's sandbox: https://docs.stripe.com/testing */
export const TEST_CARDS = [
  'pm_card_visa',
  'pm_card_visa_chargeDeclined',
  'pm_card_threeDSecure2Required',
] as const;

/** RFC 5321, 4.5.3.1.3, without the brackets. */
const EMAIL_CHARS_MAX = 254;

interface CardsProps {
  readonly chosen: string;
  readonly isDisabled: boolean;
  readonly onChoose: (card: string) => void;
}

export function Cards({ chosen, isDisabled, onChoose }: CardsProps): JSX.Element {
  const texts = useShop().texts.value;
  return (
    <fieldset class="cards" disabled={isDisabled}>
      <legend>{texts.payment}</legend>
      <p class="small">{texts.testCards}</p>
      {TEST_CARDS.map((card) => (
        <label key={card}>
          <input
            type="radio"
            name="card"
            value={card}
            checked={card === chosen}
            onChange={() => onChoose(card)}
          />
          <span>
            <strong>{texts[card]}</strong> <span class="small">{texts[`${card}_about`]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function Checkout(): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const [card, setCard] = useState<string>(TEST_CARDS[0]);
  const cart = shop.cart.value;
  const placing = shop.placing.value;
  useCurrentPrices(shop);
  const isUnderWay = placing === 'sending' || placing === 'slow';
  if (cart.length === 0 && !isUnderWay) return <Nothing title={texts.checkoutTitle} text={texts.emptyCart} />;
  const currency = cart[0]?.currency ?? 'EUR';
  const total = priceText(totalMinor(cart), currency, shop.language.value);
  const isByCard = shop.config.payments === 'stripe';
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const email = new FormData(event.currentTarget).get('email');
    shop.buy(isByCard ? card : undefined, typeof email === 'string' ? email.trim() : '');
  };
  return (
    <>
      <Title text={texts.checkoutTitle} />
      <form class="columns" onSubmit={submit}>
        <div>
          {isByCard ? (
            <Cards chosen={card} isDisabled={isUnderWay} onChoose={setCard} />
          ) : (
            <p>{texts.payLater}</p>
          )}
          <label class="field">
            <span>{texts.email}</span>
            <input
              type="email"
              name="email"
              autocomplete="email"
              maxLength={EMAIL_CHARS_MAX}
              defaultValue={shop.email}
              readOnly={isUnderWay}
              aria-describedby="about-email"
            />
            <span id="about-email" class="small">
              {texts.emailAbout}
            </span>
          </label>
        </div>
        <aside class="summary">
          <h2>{texts.yourOrder}</h2>
          <ul class="plain">
            {cart.map(({ sku, name, units, priceMinor }) => (
              <li key={sku}>
                <span>
                  {units} × {name}
                </span>
                <Price minor={units * priceMinor} currency={currency} />
              </li>
            ))}
          </ul>
          <p class="total">
            <span>{texts.total}</span>
            <Price minor={totalMinor(cart)} currency={currency} />
          </p>
          <button type="submit" class="button" disabled={isUnderWay} aria-busy={isUnderWay}>
            {isUnderWay ? texts.buying : texts.buy(total)}
          </button>
          <p role="status" class={placing === 'slow' || placing === 'refused' ? 'notice' : 'unseen'}>
            {placing === 'slow' && texts.buyingSlow}
            {placing === 'refused' && texts.refusedOrder}
          </p>
        </aside>
      </form>
    </>
  );
}
