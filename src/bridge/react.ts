/** Queue-triggered: does what is due on records without content (`run-reactions.ts`). */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { reactionBeginMs } from '../shared/bounds.ts';
import { PURGE } from '../shared/domain/caching/purge.ts';
import { askMail } from '../shared/domain/notifications/ask-mail.ts';
import { askSms } from '../shared/domain/notifications/ask-sms.ts';
import { MAIL, type SendCall, SMS } from '../shared/domain/notifications/send.ts';
import { askPayments } from '../shared/domain/orders/ask-payments.ts';
import { SQL, type SqlCall } from '../shared/domain/sql/project.ts';
import { openCdn } from '../shared/open-cdn.ts';
import { openMail } from '../shared/open-mail.ts';
import { openPayments } from '../shared/open-payments.ts';
import { openSms } from '../shared/open-sms.ts';
import { openSql } from '../shared/open-sql.ts';
import type { PurgeCall } from '../shared/ports/cdn.ts';
import { entities } from '../shared/registry/entities.ts';
import { openRuntime } from '../shared/runtime.ts';
import { wokenKey } from '../shared/wake-message.ts';
import { runReactions } from './run-reactions.ts';

const runtime = openRuntime();
const payments = openPayments(runtime);
const mail = openMail(runtime);
const sms = openSms(runtime);
const sql = openSql(runtime, entities);
const purge = openCdn(runtime);

export const handler = runReactions(runtime, {
  name: 'react',
  queue: 'tandem-react',
  keysOf: (body) => {
    const key = wokenKey(body);
    return key === undefined ? undefined : [key];
  },
  keysAtOnce: Infinity,
  beginMs: reactionBeginMs,
  outside: (effect, services) => {
    if (effect.service === MAIL)
      return askMail(effect.call as SendCall, { ...services, open: () => mail(services) });
    if (effect.service === SQL) return sql(effect.call as SqlCall);
    if (effect.service === PURGE) return purge(effect.call as PurgeCall, services);
    if (effect.service === SMS) return askSms(effect.call as SendCall, { ...services, open: sms });
    return askPayments(effect, () => payments(services));
  },
  // Of records with content only where this site has no place for objects: then nothing is fetched.
  objects: () => Promise.reject(new UnavailableError('this site has no place for objects')),
});
