/**
 * The mailbox in a browser. A mail is what strangers have written: its text is escaped, and its HTML is a document of its own in
 * a frame that runs nothing, loads nothing and leads nowhere.
 */
import type { Mail } from './mailbox.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

const COMMON = {
  'content-type': 'text/html; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Of the list: its own style and its frames, nothing else. */
export const PAGE_HEADERS = {
  ...COMMON,
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/** Of a mail's own HTML: also where somebody opens it by itself. */
export const MAIL_HEADERS = {
  ...COMMON,
  'content-security-policy':
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
};

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'article{border:1px solid #bbb;border-radius:6px;padding:0 1rem 1rem;margin:1rem 0}' +
  'iframe{width:100%;height:24rem;border:1px solid #ddd;background:#fff}pre{white-space:pre-wrap}';

export function mailboxPage(mails: readonly Mail[], dropped: number): string {
  const gone = dropped === 0 ? '' : `<p>${dropped} older ones are gone.</p>`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails</title><style>${STYLE}</style></head>
<body>
<h1>Mails (${mails.length})</h1>
<p>The newest first. As JSON: <a href="/_tandem/mails">/_tandem/mails</a></p>
${gone}${mails.map(article).join('')}</body>
</html>
`;
}

function article({ id, from, to, subject, messageId, at, copies, text, html }: Mail): string {
  const came = copies === 1 ? '' : `, <strong>came ${copies} times</strong>`;
  const frame =
    html === ''
      ? ''
      : `<iframe sandbox title="${escaped(subject)}" src="/mails/${id}" loading="lazy"></iframe>\n`;
  return `<article>
<h2>${escaped(subject)}</h2>
<p>From ${escaped(from)} to ${escaped(to)}, ${escaped(at)}${came}<br><code>${escaped(messageId)}</code></p>
${frame}<details><summary>Text</summary><pre>${escaped(text)}</pre></details>
</article>
`;
}
