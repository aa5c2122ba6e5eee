/** The page: script and styles, built when the console starts, and what its headers allow. */
import path from 'node:path';
import { bundlePage } from '@tandem-clouds/storefront/build/bundle';
import type { ShopFile } from '@tandem-clouds/storefront/build/shop-file';

const UI = path.join(import.meta.dirname, '../ui');

/**
 * Nothing but this server, not even an inline style; `require-trusted-types-for` makes the browser refuse whoever would put text
 * into the page as markup. @see https://www.w3.org/TR/CSP3/ https://www.w3.org/TR/trusted-types/
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export interface ConsolePage {
  readonly html: string;
  /** Path without the leading slash → file. */
  readonly assets: ReadonlyMap<string, ShopFile>;
}

/** @throws Error with what esbuild says of a mistake. */
export async function buildPage(): Promise<ConsolePage> {
  const assets = await bundlePage(UI);
  const nameOf = (form: RegExp): string => assets.find(({ name }) => form.test(name))?.name ?? '';
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tandem console</title>
<link rel="icon" href="/${nameOf(/^icon-.*\.svg$/)}" type="image/svg+xml">
<link rel="stylesheet" href="/${nameOf(/^style-.*\.css$/)}">
<script type="module" src="/${nameOf(/^app-.*\.js$/)}"></script>
</head>
<body>
<!-- Shown before any script has run. -->
<div id="console"><header><span class="brand">Tandem <small>console</small></span></header></div>
<noscript>The console needs JavaScript.</noscript>
</body>
</html>
`;
  return { html, assets: new Map(assets.map((asset) => [asset.name, asset])) };
}
