/** Which view is shown: behind the `#`, with what a list is filtered by, so that an address shows another person the same. */
import { signal } from '@preact/signals';

export interface Route {
  /** Empty: the overview. */
  readonly view: string;
  readonly args: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

/** `#/records/aws-us-east-1/item?prefix=a` */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [view = '', ...args] = path.split('/').map(decoded);
  return { view, args, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** What is empty or undefined is left out of the query. */
export function hrefOf(
  view: string,
  args: readonly string[] = [],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const kept = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  const text = new URLSearchParams(kept).toString();
  return `#/${[view, ...args].map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export const route = signal<Route>(parseRoute(''));

/** Follows the address from now on. */
export function followRoute(): void {
  route.value = parseRoute(location.hash);
  addEventListener('hashchange', () => (route.value = parseRoute(location.hash)));
}

/** The same view with other filters, in place of the address there is. */
export function refine(query: Readonly<Record<string, string | undefined>>): void {
  const { view, args, query: old } = route.value;
  history.replaceState(null, '', hrefOf(view, args, { ...old, ...query }));
  route.value = parseRoute(location.hash);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
