/** Phone numbers in what providers say. */
import { RefusedError, TooLargeError } from '@tandem-clouds/replication/errors';
import { SmsRefusedError } from '../ports/sms-errors.ts';

/** A number or a short code, and no sender id of letters. */
export function isPhone(from: string): boolean {
  return /^\+?\d+$/.test(from);
}

/** A text of a provider for logs and records, without the number that it repeats. */
export function withoutPhone(text: string, phone: string): string {
  return text.replaceAll(phone, '…').replaceAll(phone.replace('+', ''), '…');
}

/** What is refused for good is about this number or this text. The service's words, which may repeat the number, are left behind. */
export function smsRefusal(error: Error, to: string): Error {
  return error instanceof RefusedError || error instanceof TooLargeError
    ? new SmsRefusedError(withoutPhone(error.message, to))
    : error;
}
