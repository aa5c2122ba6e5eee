/**
 * The mailbox in a browser. A mail is what strangers have written: its text is escaped, and its HTML is a document of its own in
 * a frame that runs nothing, loads nothing and leads nowhere.
 */
import type { Sms, SmsBox } from '../sms/sms-box.ts';
import type { Mail, Mailbox } from './mailbox.ts';

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

export function mailboxPage(mailbox: Pick<Mailbox, 'mails' | 'dropped'>, box: SmsBox): string {
  const [mails, sms] = [mailbox.mails(), box.all()];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails and SMS</title><style>${STYLE}</style></head>
<body>
<h1>Mails (${mails.length})</h1>
<p>The newest first. As JSON: <a href="/_tandem/mails">/_tandem/mails</a></p>
${goneOf(mailbox)}${mails.map(article).join('')}<h1 id="sms">SMS (${sms.length})</h1>
<p>The newest first. As JSON: <a href="/_tandem/sms">/_tandem/sms</a></p>
${goneOf(box)}${sms.map(smsArticle).join('')}</body>
</html>
`;
}

function goneOf({ dropped }: { readonly dropped: number }): string {
  return dropped === 0 ? '' : `<p>${dropped} older ones are gone.</p>`;
}

function cameOf({ copies }: { readonly copies: number }): string {
  return copies === 1 ? '' : `, <strong>came ${copies} times</strong>`;
}

function smsArticle(sms: Sms): string {
  const { service, from, to, text, encoding, parts, messageId, at } = sms;
  const sender = from === '' ? '' : ` from ${escaped(from)}`;
  return `<article>
<h2>${escaped(text)}</h2>
<p>To ${escaped(to)}${sender}, by ${escaped(service)}, ${escaped(at)}, ${encoding} × ${parts}${cameOf(sms)}<br><code>${escaped(messageId)}</code></p>
</article>
`;
}

function article(mail: Mail): string {
  const { id, from, to, subject, messageId, at, text, html } = mail;
  const frame =
    html === ''
      ? ''
      : `<iframe sandbox title="${escaped(subject)}" src="/mails/${id}" loading="lazy"></iframe>\n`;
  return `<article>
<h2>${escaped(subject)}</h2>
<p>From ${escaped(from)} to ${escaped(to)}, ${escaped(at)}${cameOf(mail)}<br><code>${escaped(messageId)}</code></p>
${frame}<details><summary>Text</summary><pre>${escaped(text)}</pre></details>
</article>
`;
}
