/**
 * Answers for people: HTML, where a browser asks for it and the route has a page.
 *
 * Invariant: a page runs nothing and loads nothing. Its one style sheet is in it, known to its policy by its digest; its forms go
 * to where it came from; no search engine keeps it, and no cache.
 */
import { createHash } from 'node:crypto';
import { Html, markup } from '../domain/markup.ts';
import type { Page } from '../domain/routes/page.ts';
import { weighedRanges } from '../quality-values.ts';
import type { HttpReply } from './route.ts';

/** Contrast of text and button is 7 and more in both schemes (WCAG 2.2, 1.4.6). */
const STYLE = `:root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--act:#0b4f8a;--on-act:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--paper:#17171b;--act:#9cc8f5;--on-act:#10202f}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,sans-serif}
main{max-width:36rem;margin:0 auto;padding:2rem 1.25rem}
h1{font-size:1.5rem;line-height:1.25}
button{min-height:2.75rem;padding:.625rem 1.25rem;border:0;border-radius:.375rem;background:var(--act);color:var(--on-act);font:inherit;font-weight:600;cursor:pointer}
button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}`;

/** @see https://www.w3.org/TR/CSP3/ */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Which answer it is depends on these. */
export const NEGOTIATED = ['accept', 'accept-language'];

export function pageReply(status: number, page: Page, vary: string): HttpReply {
  return {
    status,
    text: documentOf(page),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-language': page.language,
      'content-security-policy': POLICY,
      'cache-control': 'private, no-store',
      'x-robots-tag': 'noindex',
      vary,
    },
  };
}

function documentOf({ language, title, body }: Page): string {
  return markup`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.text;
}

/**
 * Whether `Accept` prefers HTML to JSON. Whoever says nothing, or takes everything alike, is a program.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function prefersHtml(accept = ''): boolean {
  return qualityOf(accept, 'text', 'html') > qualityOf(accept, 'application', 'json');
}

/** The quality of the most specific range that names the type. */
function qualityOf(accept: string, type: string, subtype: string): number {
  const ranked = weighedRanges(accept)
    .map(({ range, quality }) => ({
      rank: ['*/*', `${type}/*`, `${type}/${subtype}`].indexOf(range),
      quality,
    }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => b.rank - a.rank);
  return ranked[0]?.quality ?? 0;
}
