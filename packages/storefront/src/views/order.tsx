/** One order, live. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { totalMinor } from '../cart.ts';
import { useFollowed } from '../follow.ts';
import { useLoaded } from '../loaded.ts';
import { momentText } from '../money.ts';
import { actionUrl, isSettled, type Order, stageOf } from '../order.ts';
import { inLanguage } from '../product.ts';
import { hrefOf } from '../route.ts';
import { useShop } from '../shop-context.ts';
import { Cards, TEST_CARDS } from './checkout.tsx';
import { Price, Skeletons, Title } from './parts.tsx';

/** How often the site that an order waits for is asked whether it is there. */
const CHECK_MS = 5_000;

export function OrderView({ orderId }: { orderId: string }): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const [turn, setTurn] = useState(0);
  const { order, isElsewhere, isSlow } = useFollowed(shop.tandem, orderId, turn);
  if (order === undefined)
    return (
      <>
        <Title text={texts.order} />
        {isElsewhere && (
          <p role="status" class="notice">
            {texts.notHereYet}
          </p>
        )}
        <Skeletons count={3} kind="rows" isRetrying={false} />
      </>
    );
  return <Sheet order={order} isSlow={isSlow} onDone={() => setTurn(turn + 1)} />;
}

interface SheetProps {
  readonly order: Order;
  readonly isSlow: boolean;
  readonly onDone: () => void;
}

function Sheet({ order, isSlow, onDone }: SheetProps): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const { orderId, createdAt, reason, stockSite, currency, lines } = order;
  const stage = stageOf(order);
  const said = stage === 'over' ? (texts.reasons[reason ?? ''] ?? texts.stages.over) : texts.stages[stage];
  const isWaiting = stage === 'paying' || stage === 'holding' || stage === 'cancelling';
  useEffect(() => {
    if (!isWaiting || !isSlow || stockSite === undefined) return undefined;
    void shop.watch.check(stockSite);
    const timer = setInterval(() => void shop.watch.check(stockSite), CHECK_MS);
    return () => clearInterval(timer);
  }, [isWaiting, isSlow, stockSite]);
  const lost = isWaiting && stockSite !== undefined && shop.watch.silent.value.includes(stockSite);
  return (
    <article class="order">
      <Title text={texts.orderOf(momentText(createdAt, shop.language.value))} />
      <Steps order={order} />
      <div role="status" class={`stage ${stage}`}>
        <p>
          {isWaiting && <span class="spinner" aria-hidden="true" />}
          {said}
        </p>
        {lost ? <p>{texts.waitsForSite(stockSite)}</p> : isWaiting && isSlow && <p>{texts.slow}</p>}
      </div>
      <Next order={order} onDone={onDone} />
      <ul class="lines">
        {lines.map((line) => (
          <li key={line.sku}>
            <div class="line-name">
              <Name sku={line.sku} />
              <span class="small">
                {line.units} × <Price minor={line.priceMinor} currency={currency} />
              </span>
            </div>
            <Price minor={line.units * line.priceMinor} currency={currency} />
          </li>
        ))}
      </ul>
      <p class="total">
        <span>{texts.total}</span>
        <Price minor={totalMinor(lines)} currency={currency} />
      </p>
      <p class="small">
        {stockSite !== undefined && !isSettled(order) && `${texts.heldAt(stockSite)} `}
        {texts.number}: <code>{orderId}</code>
      </p>
    </article>
  );
}

/** The name of an article, as the catalogue has it now; its number until that has come. */
function Name({ sku }: { sku: string }): JSX.Element {
  const shop = useShop();
  const { value } = useLoaded(`name ${sku}`, (signal) => shop.catalogue.product(sku, signal));
  return (
    <a href={hrefOf({ view: 'product', sku })}>
      {value === undefined ? sku : inLanguage(value, shop.language.value).name}
    </a>
  );
}

function Steps({ order }: { order: Order }): JSX.Element | null {
  const { steps } = useShop().texts.value;
  const stage = stageOf(order);
  if (stage === 'over' || stage === 'cancelling' || stage === 'refunded') return null;
  const reached = stage === 'paid' ? 3 : stage === 'holding' ? 1 : 2;
  return (
    <ol class="steps">
      {[steps.placed, steps.held, steps.paid].map((step, index) => (
        <li
          key={step}
          class={index < reached ? 'done' : ''}
          aria-current={index === reached - 1 ? 'step' : undefined}
        >
          {step}
        </li>
      ))}
    </ol>
  );
}

/** What the customer can do now. */
function Next({ order, onDone }: Pick<SheetProps, 'order' | 'onDone'>): JSX.Element | null {
  const shop = useShop();
  const texts = shop.texts.value;
  const [card, setCard] = useState<string>(TEST_CARDS[0]);
  const [isUnderWay, setUnderWay] = useState(false);
  const stage = stageOf(order);
  const url = actionUrl(order);
  if (stage === 'to_confirm' && url !== undefined)
    return (
      <a class="button" href={url}>
        {shop.config.payments === 'paypal' ? texts.payAtProvider : texts.confirm}
      </a>
    );
  if (stage === 'over' && ['declined', 'price_changed', 'not_paid_in_time'].includes(order.reason ?? ''))
    return (
      <button type="button" class="button" onClick={() => void putBack()}>
        {texts.again}
      </button>
    );
  if (stage !== 'to_pay') return null;
  const isByCard = shop.config.payments === 'stripe';
  return (
    <form class="next" onSubmit={(event) => void pay(event)}>
      {isByCard && <Cards chosen={card} isDisabled={isUnderWay} onChoose={setCard} />}
      <button type="submit" class="button" disabled={isUnderWay} aria-busy={isUnderWay}>
        {isByCard ? texts.payNow : texts.payAtProvider}
      </button>
    </form>
  );

  /** There is one payment for an order, whichever sites are asked to take it: so it may be asked for at another one. */
  async function pay(event: Event): Promise<void> {
    event.preventDefault();
    setUnderWay(true);
    const input = isByCard ? { method: card } : {};
    await shop.tandem
      .collection('orders')
      .act(order.orderId, 'pay', input, { safeElsewhere: true })
      // Nobody has answered, or it is over: the order itself shows which.
      .catch(() => undefined);
    setUnderWay(false);
    onDone();
  }

  async function putBack(): Promise<void> {
    setUnderWay(true);
    for (const { sku, units } of order.lines) {
      const product = await shop.catalogue.product(sku, AbortSignal.timeout(10_000)).catch(() => undefined);
      if (product === undefined) continue;
      const { name } = inLanguage(product, shop.language.peek());
      const { priceMinor, currency } = product;
      shop.add({ sku, name, units, priceMinor, currency });
    }
    location.hash = hrefOf({ view: 'cart' });
  }
}
