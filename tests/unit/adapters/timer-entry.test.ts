import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timerEntry } from '../../../src/shared/adapters/aws/entries.ts';
import { loadConfig } from '../../../src/shared/config/config.ts';
import { setEnvironment } from '../../helpers/sites.ts';

const ENV = {
  TANDEM_SITE: 'aws-us-east-1',
  TANDEM_REGION: 'us-east-1',
  TANDEM_TABLE: 'tandem',
  TANDEM_OUT_URL: 'http://127.0.0.1:1/out',
  TANDEM_IN_URL: 'http://127.0.0.1:1/in',
  TANDEM_DEAD_URL: 'http://127.0.0.1:1/dead',
  TANDEM_TICK_URL: 'http://127.0.0.1:1/tick',
  TANDEM_VERIFY_URL: 'http://127.0.0.1:1/verify',
  TANDEM_REACT_URL: 'http://127.0.0.1:1/react',
  TANDEM_OBJECTS_QUEUE_URL: 'http://127.0.0.1:1/objects',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  // Nobody listens there: whatever is sent fails.
  AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
};
let restore: () => void;

beforeAll(() => {
  restore = setEnvironment(ENV);
});

afterAll(() => {
  restore();
});

test.each([
  ['sends ticks when the function is to run more often than its schedule', 10_000, {}, 'refused', 0],
  ['sends none when the schedule is what is meant', undefined, {}, 'done', 1],
  ['sends none when it is run by a tick', 10_000, { Records: [] }, 'done', 1],
])('a timer on AWS %s', async (_title, tickMs, event, result, runsExpected) => {
  let runs = 0;
  const handler = (): Promise<boolean> => {
    runs += 1;
    return Promise.resolve(false);
  };
  const entry = timerEntry(handler, {
    config: loadConfig('aws', ENV),
    ...(tickMs !== undefined && { tickMs }),
  });
  expect(
    await entry(event).then(
      () => 'done',
      () => 'refused',
    ),
  ).toBe(result);
  expect(runs).toBe(runsExpected);
});
