/**
 * The composition of the SMS that a site is configured with. A module of its own: a function that does not import it has no SDK
 * for SMS in its bundle.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { openSms as openAtCloud } from '#sms';
import type { SmsSender } from './ports/sms.ts';
import type { Runtime } from './runtime.ts';

/** @throws UnavailableError where this site sends no SMS. */
export type OpenSms = () => SmsSender;

/** Opened once per process. Nobody is called before somebody sends. */
export function openSms({ config }: Runtime): OpenSms {
  let opened: SmsSender | undefined;
  return () => {
    if (config.sms === undefined)
      throw new UnavailableError('this site sends no SMS: set TANDEM_SMS_FROM (docs/notifications.md)');
    return (opened ??= openAtCloud(config));
  };
}
