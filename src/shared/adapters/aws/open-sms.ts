/** `#sms` on AWS: opens SNS. A module of its own, so that a bundle that sends no SMS has nothing of its SDK. */
import { SNSClient } from '@aws-sdk/client-sns';
import type { Config } from '../../config/config.ts';
import type { SmsSender } from '../../ports/sms.ts';
import { SnsSms } from './sms.ts';

/** @throws TypeError when the configuration says nothing of SMS. */
export function openSms({ region, sms }: Config): SmsSender {
  if (sms === undefined) throw new TypeError('TANDEM_SMS_FROM and TANDEM_SMS_NAME are needed for SMS');
  const client = new SNSClient({
    region,
    // A second attempt of the SDK could be a second SMS of which nobody knows.
    maxAttempts: 1,
    requestHandler: { throwOnRequestTimeout: true, connectionTimeout: 1_000 },
  });
  return new SnsSms(client, sms);
}
