/** Which view is shown: behind the `#`, so that no view is a path that the API may have. */

export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'category'; readonly category: string }
  | { readonly view: 'search'; readonly prefix: string }
  | { readonly view: 'product'; readonly sku: string }
  | { readonly view: 'cart' }
  | { readonly view: 'checkout' }
  | { readonly view: 'orders' }
  | { readonly view: 'order'; readonly orderId: string }
  | { readonly view: 'nothing' };

/** What an address shows; `nothing` where there is no such view. */
export function parseRoute(hash: string): Route {
  const [view = '', text = '', ...rest] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  if (rest.length > 0) return { view: 'nothing' };
  if (text === '') {
    if (view === '') return { view: 'home' };
    return view === 'cart' || view === 'checkout' || view === 'orders' ? { view } : { view: 'nothing' };
  }
  if (view === 'category') return { view, category: text };
  if (view === 'search') return { view, prefix: text };
  if (view === 'product') return { view, sku: text };
  return view === 'orders' ? { view: 'order', orderId: text } : { view: 'nothing' };
}

/** The address of a view: `#/product/earl-grey`. */
export function hrefOf(route: Exclude<Route, { view: 'nothing' }>): string {
  if (route.view === 'home') return '#/';
  if (route.view === 'category') return `#/category/${encodeURIComponent(route.category)}`;
  if (route.view === 'search') return `#/search/${encodeURIComponent(route.prefix)}`;
  if (route.view === 'product') return `#/product/${encodeURIComponent(route.sku)}`;
  if (route.view === 'order') return `#/orders/${encodeURIComponent(route.orderId)}`;
  return `#/${route.view}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
