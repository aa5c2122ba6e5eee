/**
 * The page and where it runs: what differs from one place to another.
 *
 * Invariant: the page takes script and styles from its own address only, and speaks to the sites only. The policy is in the page
 * itself, because a storage that serves it by itself (Azure's static websites) sends no headers of ours.
 */
import type { ShopConfig } from '../config.ts';
import { ASK_FIRST, type ShopFile } from './shop-file.ts';

export { readConfig, type ShopConfig } from '../config.ts';

/** The path of the page, and of its configuration. */
export const PAGE = 'index.html';
export const CONFIG = 'site.json';

/**
 * A Content-Security-Policy without any `unsafe-`; `require-trusted-types-for` makes the browser refuse whoever would put text
 * into the page as markup. @see https://www.w3.org/TR/CSP3/ https://www.w3.org/TR/trusted-types/
 */
export function policyOf({ sites, pictures }: ShopConfig): string {
  const apis = [...new Set(sites.map(({ url }) => new URL(url).origin))];
  const images = [...new Set([...apis, ...pictures])];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${["'self'", ...images].join(' ')}`,
    `connect-src ${["'self'", ...apis].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** Headers of the page where its server can send some; what a page cannot say of itself among them. */
export function pageHeaders(config: ShopConfig): Record<string, string> {
  return {
    'content-security-policy': `${policyOf(config)}; frame-ancestors 'none'`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  };
}

/** The page, and `site.json`. @param assets What `bundleStorefront` has made. */
export function pagesFor(config: ShopConfig, assets: readonly ShopFile[]): readonly ShopFile[] {
  const nameOf = (end: string): string => assets.find(({ name }) => name.endsWith(end))?.name ?? '';
  // Addresses have no character that means something in HTML: `readConfig` has checked them, and an origin has no quotes.
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(config)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="description" content="A shop that is sold from two clouds at once">
<title>Tandem Goods</title>
<link rel="icon" href="${nameOf('.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${nameOf('.css')}">
<script type="module" src="${nameOf('.js')}"></script>
</head>
<body>
<div id="shop"></div>
<noscript>This shop needs JavaScript. Dieser Laden braucht JavaScript.</noscript>
</body>
</html>
`;
  return [
    {
      name: PAGE,
      bytes: Buffer.from(html),
      contentType: 'text/html; charset=utf-8',
      cacheControl: ASK_FIRST,
    },
    {
      name: CONFIG,
      bytes: Buffer.from(JSON.stringify(config)),
      contentType: 'application/json',
      cacheControl: ASK_FIRST,
    },
  ];
}
