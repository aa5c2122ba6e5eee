/** What several views are made of. */
import type { ComponentChildren, JSX, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { unitsMax } from '../cart.ts';
import { priceText } from '../money.ts';
import { type Availability, inLanguage, type Product } from '../product.ts';
import { hrefOf } from '../route.ts';
import { useShop } from '../shop-context.ts';

/** The heading of a view: it has the focus when the view has been changed, so that a screen reader begins there. */
export function Title({ children, text }: { children?: ComponentChildren; text: string }): JSX.Element {
  const shop = useShop();
  const heading = useRef<HTMLHeadingElement>(null);
  const { shop: name } = shop.texts.value;
  useEffect(() => {
    document.title = `${text} · ${name}`;
  }, [text, name]);
  useEffect(() => {
    if (shop.hasMoved) heading.current?.focus();
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? text}
    </h1>
  );
}

export function Price({ minor, currency }: { minor: number; currency: string }): JSX.Element {
  const shop = useShop();
  return <span class="price">{priceText(minor, currency, shop.language.value)}</span>;
}

/** Says that it is loading, and shows where things will be. */
export function Skeletons({
  count,
  kind,
  isRetrying,
}: {
  count: number;
  kind: string;
  isRetrying: boolean;
}): JSX.Element {
  const { loading, retrying } = useShop().texts.value;
  return (
    <>
      <p role="status" class={isRetrying ? 'notice' : 'unseen'}>
        {isRetrying ? retrying : loading}
      </p>
      <div class={kind} aria-hidden="true">
        {Array.from({ length: count }, (_, index) => (
          <div class="skeleton" key={index} />
        ))}
      </div>
    </>
  );
}

const TINTS = 6;

/** A picture of it from whichever site has it; without one, its initial. */
export function Picture({
  product,
  size,
}: {
  product: Product;
  size: 'small' | 'medium' | 'large';
}): JSX.Element {
  const shop = useShop();
  const [failed, setFailed] = useState(0);
  const { name } = inLanguage(product, shop.language.value);
  const [picture] = product.pictures;
  const site = shop.config.sites[failed];
  if (picture === undefined || site === undefined) {
    const tint = Array.from(product.sku).reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % TINTS;
    return (
      <span class={`picture initial tint-${tint}`} aria-hidden="true">
        {name.trim().charAt(0).toLocaleUpperCase()}
      </span>
    );
  }
  const src = `${site.url}/pictures/${encodeURIComponent(picture)}/${size}`;
  return (
    <span class="picture">
      <img src={src} alt="" loading="lazy" decoding="async" onError={() => setFailed(failed + 1)} />
    </span>
  );
}

export function AvailabilityText({ of }: { of: Availability | undefined }): JSX.Element | null {
  const texts = useShop().texts.value;
  return of === undefined ? null : <span class={`availability ${of}`}>{texts[of]}</span>;
}

interface ProductProps {
  readonly product: Product;
  readonly availability: Availability | undefined;
}

/** Puts it into the cart, and says so. */
export function AddButton({
  product,
  availability,
  units = 1,
}: ProductProps & { units?: number }): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const [refusal, setRefusal] = useState<string>();
  const { sku, priceMinor, currency } = product;
  const { name } = inLanguage(product, shop.language.value);
  const add = (): void => {
    const why = shop.add({ sku, name, priceMinor, currency, units });
    setRefusal(why === undefined ? undefined : why === 'full' ? texts.full : texts.otherCurrency);
  };
  return (
    <>
      <button
        type="button"
        class="add"
        disabled={availability === 'none'}
        aria-label={texts.addNamed(name)}
        onClick={add}
      >
        {texts.add}
      </button>
      {refusal !== undefined && (
        <p role="status" class="notice">
          {refusal}
        </p>
      )}
    </>
  );
}

export function ProductCard({ product, availability }: ProductProps): JSX.Element {
  const shop = useShop();
  const { name } = inLanguage(product, shop.language.value);
  return (
    <li class="card">
      <a href={hrefOf({ view: 'product', sku: product.sku })}>
        <Picture product={product} size="small" />
        <span class="name">{name}</span>
      </a>
      <div class="card-foot">
        <Price minor={product.priceMinor} currency={product.currency} />
        <AvailabilityText of={availability} />
      </div>
      <AddButton product={product} availability={availability} />
    </li>
  );
}

/** How many: by two buttons, or typed. */
export function Units(props: {
  name: string;
  units: number;
  onChange: (units: number) => void;
}): JSX.Element {
  const { name, units, onChange } = props;
  const texts = useShop().texts.value;
  const typed = (event: TargetedEvent<HTMLInputElement>): void => {
    const wanted = event.currentTarget.valueAsNumber;
    if (Number.isInteger(wanted) && wanted >= 1) onChange(Math.min(wanted, unitsMax));
  };
  return (
    <div class="units" role="group" aria-label={`${texts.units}: ${name}`}>
      <button
        type="button"
        aria-label={texts.fewer}
        disabled={units <= 1}
        onClick={() => onChange(units - 1)}
      >
        −
      </button>
      <input
        type="number"
        inputMode="numeric"
        aria-label={texts.units}
        min={1}
        max={unitsMax}
        value={units}
        onInput={typed}
      />
      <button
        type="button"
        aria-label={texts.moreUnits}
        disabled={units >= unitsMax}
        onClick={() => onChange(units + 1)}
      >
        +
      </button>
    </div>
  );
}

/** A view that has nothing to show, and where to go on. */
export function Nothing({ text, title }: { text: string; title?: string }): JSX.Element {
  const { backHome } = useShop().texts.value;
  return (
    <div class="nothing">
      <Title text={title ?? text} />
      {title !== undefined && <p>{text}</p>}
      <a class="button" href={hrefOf({ view: 'home' })}>
        {backHome}
      </a>
    </div>
  );
}
