/** `#sms` on Azure: opens Communication Services. A module of its own, so that a bundle that sends no SMS has nothing of its SDK. */
import type { Config } from '../../config/config.ts';
import type { SmsSender } from '../../ports/sms.ts';
import { credential } from './credential.ts';
import { CommunicationSms } from './sms.ts';

/** @throws TypeError when the configuration names no resource, or says nothing of SMS. */
export function openSms({ azure, sms }: Config): SmsSender {
  const url = azure?.communicationUrl;
  if (sms === undefined || url === undefined)
    throw new TypeError(
      'TANDEM_SMS_FROM, TANDEM_SMS_NAME and COMMUNICATION_SERVICES_ENDPOINT are needed for SMS',
    );
  return new CommunicationSms({ ...sms, url, credential: credential() });
}
