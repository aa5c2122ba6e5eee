/** What stands around every view: name, search, categories, cart, and which cloud answers. */
import type { JSX, TargetedEvent } from 'preact';
import { LANGUAGES } from '../language.ts';
import { hrefOf, type Route } from '../route.ts';
import { useShop } from '../shop-context.ts';
import { CartView } from './cart.tsx';
import { Checkout } from './checkout.tsx';
import { Category, Home, Search } from './lists.tsx';
import { OrderView } from './order.tsx';
import { Orders } from './orders.tsx';
import { Nothing } from './parts.tsx';
import { ProductView } from './product.tsx';

export function Frame(): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {texts.skip}
      </a>
      <Head />
      <Categories />
      <main id="content" tabIndex={-1}>
        <View route={shop.route.value} />
      </main>
      <Clouds />
      <p class="unseen" aria-live="polite">
        {shop.said.value}
      </p>
    </>
  );
}

function View({ route }: { route: Route }): JSX.Element {
  const { noPage } = useShop().texts.value;
  switch (route.view) {
    case 'home':
      return <Home key="home" />;
    case 'category':
      return <Category key={`category ${route.category}`} category={route.category} />;
    case 'search':
      return <Search key={`search ${route.prefix}`} prefix={route.prefix} />;
    case 'product':
      return <ProductView key={`product ${route.sku}`} sku={route.sku} />;
    case 'cart':
      return <CartView key="cart" />;
    case 'checkout':
      return <Checkout key="checkout" />;
    case 'orders':
      return <Orders key="orders" />;
    case 'order':
      return <OrderView key={`order ${route.orderId}`} orderId={route.orderId} />;
    case 'nothing':
      return <Nothing key="nothing" text={noPage} />;
  }
}

function Head(): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const route = shop.route.value;
  const search = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const prefix = new FormData(event.currentTarget).get('prefix');
    if (typeof prefix === 'string' && prefix.trim() !== '')
      location.hash = hrefOf({ view: 'search', prefix: prefix.trim() });
  };
  const units = shop.units.value;
  return (
    <header>
      <a class="brand" href={hrefOf({ view: 'home' })}>
        <Wheels /> {texts.shop}
      </a>
      <form role="search" onSubmit={search}>
        <input
          type="search"
          name="prefix"
          autoComplete="off"
          maxLength={60}
          placeholder={texts.search}
          aria-label={texts.search}
          defaultValue={route.view === 'search' ? route.prefix : ''}
        />
        <button type="submit">{texts.searchButton}</button>
      </form>
      <div class="languages" role="group" aria-label={texts.language}>
        {LANGUAGES.map((language) => (
          <button
            type="button"
            key={language}
            lang={language}
            aria-pressed={shop.language.value === language}
            onClick={() => shop.speak(language)}
          >
            {language.toUpperCase()}
            <span class="unseen"> {language === 'en' ? 'English' : 'Deutsch'}</span>
          </button>
        ))}
      </div>
      <a
        class="top"
        href={hrefOf({ view: 'orders' })}
        aria-current={route.view === 'orders' ? 'page' : undefined}
      >
        {texts.myOrders}
      </a>
      <a
        class="top"
        href={hrefOf({ view: 'cart' })}
        aria-current={route.view === 'cart' ? 'page' : undefined}
      >
        {texts.cart} <span class={units === 0 ? 'count zero' : 'count'}>{units}</span>
        <span class="unseen"> {texts.articles(units)}</span>
      </a>
    </header>
  );
}

/** Two wheels, one frame. */
function Wheels(): JSX.Element {
  return (
    <svg viewBox="0 0 40 24" width="40" height="24" aria-hidden="true">
      <g fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round">
        <circle cx="8" cy="16" r="6.5" />
        <circle cx="32" cy="16" r="6.5" />
        <path d="M8 16 14 6h13l5 10H20L14 6m6 10 7-10m-3-3h5" />
      </g>
    </svg>
  );
}

function Categories(): JSX.Element {
  const shop = useShop();
  const texts = shop.texts.value;
  const route = shop.route.value;
  const chosen = route.view === 'category' ? route.category : undefined;
  const names = shop.categories.value;
  const shown = chosen === undefined || names.includes(chosen) ? names : [...names, chosen];
  return (
    <nav aria-label={texts.categories}>
      <a href={hrefOf({ view: 'home' })} aria-current={route.view === 'home' ? 'page' : undefined}>
        {texts.everything}
      </a>
      {shown.map((category) => (
        <a
          key={category}
          href={hrefOf({ view: 'category', category })}
          aria-current={category === chosen ? 'page' : undefined}
        >
          {category}
        </a>
      ))}
    </nav>
  );
}

/** Which cloud answers, and, quietly, which one does not. */
function Clouds(): JSX.Element {
  const { watch, texts: current } = useShop();
  const texts = current.value;
  const answering = watch.answering.value;
  const silent = watch.silent.value;
  const others = useShop().config.sites.filter(({ name }) => !silent.includes(name));
  const speaker = answering !== undefined && !silent.includes(answering) ? answering : others[0]?.name;
  return (
    <footer>
      <p role="status" class="clouds">
        <span class={silent.length === 0 ? 'dot' : 'dot warn'} aria-hidden="true" />
        {silent.length > 0
          ? others.length === 0
            ? texts.allSilent
            : texts.silent(silent.join(', '), speaker ?? '')
          : answering === undefined
            ? texts.asking
            : texts.servedBy(answering)}
      </p>
    </footer>
  );
}
