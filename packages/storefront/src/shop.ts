/** What all views share: the client, the cart, the language, the order that is being placed. */
import { computed, effect, signal } from '@preact/signals';
import { createTandemClient, type TandemClient } from '@tandem-clouds/client';
import { ProblemError } from '@tandem-clouds/client/errors';
import { untimedKey } from '@tandem-clouds/client/keys';
import {
  type Cart,
  type CartLine,
  readCart,
  type Refusal,
  unitsOf,
  withAdded,
  withCurrent,
  withUnits,
} from './cart.ts';
import { Catalogue } from './catalogue.ts';
import type { ShopConfig } from './config.ts';
import { chooseLanguage, type Language } from './language.ts';
import { newPlacement, place, type Placement, readPlacement } from './placement.ts';
import type { Product } from './product.ts';
import { hrefOf, parseRoute, type Route } from './route.ts';
import { SiteWatch } from './site-watch.ts';
import { forget, keep, kept } from './storage.ts';
import { de } from './texts/de.ts';
import { en, type Texts } from './texts/en.ts';

/** Of a read: after that the page says that it is trying again, and does. */
const READ_WITHIN_MS = 15_000;

/** `slow`: no site has answered yet; it goes on. */
export type Placing = 'no' | 'sending' | 'slow' | 'refused';

export class Shop {
  readonly config: ShopConfig;
  readonly tandem: TandemClient;
  readonly watch: SiteWatch;
  readonly catalogue: Catalogue;
  /** Whose orders these are, in this browser. */
  readonly customer = customerOf();
  readonly language = signal<Language>(chooseLanguage(languageKept(), navigator.languages));
  readonly texts = computed<Texts>(() => (this.language.value === 'de' ? de : en));
  readonly route = signal<Route>(parseRoute(location.hash));
  readonly cart = signal<Cart>(readCart(kept('cart')));
  readonly units = computed(() => unitsOf(this.cart.value));
  /** The names of categories, as far as products of them were seen. */
  readonly categories = signal<readonly string[]>([]);
  readonly placing = signal<Placing>('no');
  /** What a screen reader says of what was just done. */
  readonly said = signal('');
  /** A view has been left for another one. */
  hasMoved = false;

  constructor(config: ShopConfig) {
    this.config = config;
    this.watch = new SiteWatch(config.sites, this.customer);
    this.tandem = createTandemClient({
      sites: config.sites,
      fetch: this.watch.fetch,
      totalMs: READ_WITHIN_MS,
      // What a shop shows may be a moment old; what an order is charged is decided by the sites.
      whenBehind: 'stale',
    });
    this.catalogue = new Catalogue(this.tandem);
    addEventListener('hashchange', () => {
      this.hasMoved = true;
      this.route.value = parseRoute(location.hash);
      scrollTo(0, 0);
    });
    // Another tab has changed it.
    addEventListener('storage', () => {
      this.cart.value = readCart(kept('cart'));
    });
    effect(() => keep('cart', this.cart.value));
    effect(() => {
      document.documentElement.lang = this.language.value;
    });
  }

  /** Begins: an order that an earlier page was sending is sent on. */
  open(): void {
    void this.tandem.GET('/region').catch(() => undefined);
    const placement = readPlacement(kept('placement'));
    if (placement === undefined) return;
    location.hash = hrefOf({ view: 'checkout' });
    void this.#send(placement);
  }

  speak(language: Language): void {
    keep('language', language);
    this.language.value = language;
  }

  saw(products: readonly Product[]): void {
    const names = new Set(this.categories.value);
    for (const { category } of products) if (category !== undefined) names.add(category);
    if (names.size > this.categories.value.length) this.categories.value = [...names].sort();
  }

  /** Returns why not, where it cannot be added. */
  add(line: CartLine): Refusal | undefined {
    const next = withAdded(this.cart.value, line);
    if (typeof next === 'string') return next;
    this.cart.value = next;
    this.said.value = this.texts.value.added(line.name);
    return undefined;
  }

  setUnits(sku: string, units: number): void {
    this.cart.value = withUnits(this.cart.value, sku, units);
  }

  refresh(sku: string, current: Product | undefined): void {
    this.cart.value = withCurrent(this.cart.value, sku, current);
  }

  /** What a customer has given as their address for mails, to be filled in next time. */
  get email(): string {
    const known = kept('email');
    return typeof known === 'string' ? known : '';
  }

  /**
   * Buys what is in the cart. A second press while the first is under way is none.
   * @param email Where the sites write to; empty: nobody is written to.
   */
  buy(method: string | undefined, email: string): void {
    if (this.placing.value === 'sending' || this.placing.value === 'slow' || this.cart.value.length === 0)
      return;
    keep('email', email);
    const wishes = { cart: this.cart.value, method, language: this.language.value, nowMs: this.watch.now() };
    void this.#send(newPlacement({ ...wishes, email: email === '' ? undefined : email }));
  }

  async #send(placement: Placement): Promise<void> {
    keep('placement', placement);
    this.placing.value = 'sending';
    try {
      const orderId = await place({
        tandem: this.tandem,
        placement,
        onNewKey: (renewed) => keep('placement', renewed),
        onWaiting: () => {
          this.placing.value = 'slow';
        },
      });
      keep('order', orderId);
      this.cart.value = [];
      this.placing.value = 'no';
      location.hash = hrefOf({ view: 'order', orderId });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.placing.value = 'refused';
    } finally {
      forget('placement');
    }
  }
}

/** A name that nobody else has: it is all that says whose the orders are where nobody signs in. */
function customerOf(): string {
  const known = kept('customer');
  if (typeof known === 'string' && known !== '') return known;
  const customer = `guest-${untimedKey()}`;
  keep('customer', customer);
  return customer;
}

function languageKept(): string | undefined {
  const chosen = kept('language');
  return typeof chosen === 'string' ? chosen : undefined;
}
