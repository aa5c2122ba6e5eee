import { kinds, languages, stoppable } from '../domain/notifications/notice.ts';
import { noteAddress, readSuppression } from '../domain/notifications/suppress.ts';
import {
  type Asker,
  noLinkPage,
  resubscribedPage,
  subscribedPage,
  unsubscribedPage,
} from '../domain/notifications/unsubscribe-page.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';
import { RuleError } from '../domain/rule-error.ts';
import { UNSUBSCRIBE_KEY } from '../mail-secrets.ts';
import { readUnsubscribeToken, TOKEN_PATTERN } from '../unsubscribe-token.ts';

const params = { token: { pattern: TOKEN_PATTERN } } as const;
const output = {
  unsubscribed: { type: 'boolean' },
  /** The kinds of mails that it is about. */
  stops: { type: 'array', items: { type: 'string', enum: kinds } },
} as const;
const errors = { bad_token: { title: 'This link is none of ours', status: 404 } } as const;

type Headers = Readonly<Record<string, string | undefined>>;

const refused = ({ headers }: { readonly headers: Headers }) =>
  noLinkPage({ accepted: headers['accept-language'] });

/** Of whoever has pressed a button. What a form sends is about the page alone: no body is needed, and what it holds decides nothing. */
function presser({ headers, rawBody }: { readonly headers: Headers; readonly rawBody: string }): Asker {
  return {
    stated: new URLSearchParams(rawBody).get('language') ?? undefined,
    accepted: headers['accept-language'],
  };
}

/**
 * Where the links in mails lead to: JSON for programs, a page with a button for people. Reading changes nothing, because programs
 * that check links read them; mail programs that unsubscribe send POST (RFC 8058).
 */
export const unsubscribe = defineRoutes({
  name: 'unsubscribe',
  description: 'Unsubscribes an address from mails that it may do without',
  uses: { records: { suppression: 'write' }, actsForAnybody: true, site: true, secrets: [UNSUBSCRIBE_KEY] },
  operations: {
    getSubscription: {
      method: 'GET',
      path: '/unsubscribe/{token}',
      summary: 'Whether an address is unsubscribed',
      access: 'everybody',
      params,
      input: { language: { enum: languages } },
      output,
      errors,
      page: {
        answered: ({ unsubscribed }, { headers, input, params: { token } }) => {
          const asker = { stated: input.language, accepted: headers['accept-language'] };
          return unsubscribed ? unsubscribedPage(asker, `${token}/undo`) : subscribedPage(asker, token);
        },
        refused,
      },
      async handle({ params: { token } }, { secrets, site }) {
        const hash = await hashOf(token, secrets);
        const { unsubscribed = false } = await site.run((here) => readSuppression(here, hash));
        return { unsubscribed, stops: stoppable };
      },
    },
    unsubscribe: {
      method: 'POST',
      path: '/unsubscribe/{token}',
      summary: 'Unsubscribe an address',
      access: 'everybody',
      params,
      output,
      errors,
      page: {
        answered: (_, request) => unsubscribedPage(presser(request), `${request.params.token}/undo`),
        refused,
      },
      async handle({ params: { token } }, { secrets, site, newId }) {
        const hash = await hashOf(token, secrets);
        await site.run((here) => noteAddress(here, { hash, noted: 'unsubscribed', name: newId() }));
        return { unsubscribed: true, stops: stoppable };
      },
    },
    resubscribe: {
      method: 'POST',
      path: '/unsubscribe/{token}/undo',
      summary: 'Write to an address again that was unsubscribed',
      access: 'everybody',
      params,
      output,
      errors,
      page: {
        answered: (_, request) => resubscribedPage(presser(request), `../${request.params.token}`),
        refused,
      },
      async handle({ params: { token } }, { secrets, site, newId }) {
        const hash = await hashOf(token, secrets);
        await site.run((here) => noteAddress(here, { hash, noted: 'resubscribed', name: newId() }));
        return { unsubscribed: false, stops: stoppable };
      },
    },
  },
});

/** Of a handler. */
interface VaultOf {
  get(name: string): Promise<string>;
  refresh(name: string, refused: string): Promise<string>;
}

/** @throws RuleError for a token that is not signed with the key, or with the one that has replaced it. */
async function hashOf(token: string, secrets: VaultOf): Promise<string> {
  const key = await secrets.get(UNSUBSCRIBE_KEY);
  const hash =
    readUnsubscribeToken(token, key) ??
    readUnsubscribeToken(token, await secrets.refresh(UNSUBSCRIBE_KEY, key));
  if (hash === undefined) throw new RuleError('bad_token');
  return hash;
}
