/** What people see behind the link by which they unsubscribe: what stops, what goes on, and one button. */
import { weighedRanges } from '../../quality-values.ts';
import { type Html, markup } from '../markup.ts';
import type { Page } from '../routes/page.ts';
import { type Kind, type Language, languages, stoppable } from './notice.ts';

interface Texts {
  /** Of `stoppable`: what such a mail says. */
  readonly stops: Readonly<Partial<Record<Kind, string>>>;
  readonly goesOn: string;
  readonly asks: string;
  readonly isOn: string;
  readonly stop: string;
  readonly isOff: string;
  readonly nothingElse: string;
  readonly again: string;
  readonly isOnAgain: string;
  readonly noLink: string;
  readonly otherLink: string;
}

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    stops: { fulfilled: 'that your goods have been sent' },
    goesOn: 'Mails about your money go on: payments, cancellations and refunds.',
    asks: 'No more mails about what has been sent?',
    isOn: 'At the moment we write to your address',
    stop: 'Stop these mails',
    isOff: 'These mails have stopped',
    nothingElse: 'We no longer write to your address',
    again: 'Get these mails again',
    isOnAgain: 'You get these mails again',
    noLink: 'This link does not work',
    otherLink:
      'It may have been cut off on its way, or be too old. Nothing was changed. Please open the link in your newest mail.',
  },
  de: {
    stops: { fulfilled: 'dass Ihre Ware versandt wurde' },
    goesOn: 'Was Ihr Geld betrifft, erfahren Sie weiterhin: Zahlungen, Stornierungen und Erstattungen.',
    asks: 'Keine Nachrichten über Versandtes mehr?',
    isOn: 'Im Moment schreiben wir an Ihre Adresse',
    stop: 'Diese Nachrichten abbestellen',
    isOff: 'Diese Nachrichten sind abbestellt',
    nothingElse: 'Wir schreiben nicht mehr an Ihre Adresse',
    again: 'Diese Nachrichten wieder erhalten',
    isOnAgain: 'Sie erhalten diese Nachrichten wieder',
    noLink: 'Dieser Link funktioniert nicht',
    otherLink:
      'Vielleicht wurde er unterwegs abgeschnitten, oder er ist zu alt. Es wurde nichts geändert. Bitte öffnen Sie den Link in Ihrer neuesten Nachricht.',
  },
};

/** What a request says of its language: that of its mail, else those of its browser. */
export interface Asker {
  /** Of the query, or of a form. */
  readonly stated?: string | undefined;
  /** `Accept-Language`. */
  readonly accepted?: string | undefined;
}

/** With a button that stops them. @param action Where it leads, from the page that is shown. */
export function subscribedPage(asker: Asker, action: string): Page {
  const language = languageOf(asker);
  return running(language, TEXTS[language].asks, action);
}

/** The same, after its reader has taken it back. */
export function resubscribedPage(asker: Asker, action: string): Page {
  const language = languageOf(asker);
  return running(language, TEXTS[language].isOnAgain, action);
}

/** With a button that takes it back. */
export function unsubscribedPage(asker: Asker, action: string): Page {
  const language = languageOf(asker);
  const { isOff, nothingElse, again } = TEXTS[language];
  return { language, title: isOff, body: bodyOf(language, nothingElse, { button: again, action }) };
}

/** The link is none of ours. */
export function noLinkPage(asker: Asker): Page {
  const language = languageOf(asker);
  const { noLink, otherLink } = TEXTS[language];
  return { language, title: noLink, body: markup`<p>${otherLink}</p>` };
}

function running(language: Language, title: string, action: string): Page {
  const { isOn, stop } = TEXTS[language];
  return { language, title, body: bodyOf(language, isOn, { button: stop, action }) };
}

/** The form says what a mail program says by itself (RFC 8058), and its language. */
function bodyOf(
  language: Language,
  state: string,
  { button, action }: { readonly button: string; readonly action: string },
): Html {
  const { stops, goesOn } = TEXTS[language];
  const named = stoppable.map((kind) => markup`<li>${stops[kind] ?? kind}</li>\n`);
  return markup`<p>${state}:</p>
<ul>
${named}</ul>
<p>${goesOn}</p>
<form method="post" action="${action}">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<input type="hidden" name="language" value="${language}">
<button>${button}</button>
</form>`;
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4 */
function languageOf({ stated, accepted = '' }: Asker): Language {
  const wanted = weighedRanges(accepted)
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const names = [stated, ...wanted.map(({ range }) => range.split('-', 1)[0])];
  return names.flatMap((name) => languages.filter((language) => language === name))[0] ?? 'en';
}
