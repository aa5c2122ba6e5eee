/** The entry point of the Azure app says what the service definition says, or is not made. */
import { describe, expect, test } from '@jest/globals';
import { entrySource, registrationsOf } from '../../src/code/entry-point.ts';

const HANDLER = 'src/handlers/users.handler';
const http = { http: true, route: 'users/{*path}', authLevel: 'anonymous' };

describe('the entry point of the Azure app', () => {
  test('registers each function with its trigger, and imports a file once', () => {
    const source = entrySource(
      registrationsOf({
        users: { handler: HANDLER, events: [http] },
        user: { handler: HANDLER, events: [{ ...http, route: 'user' }] },
        sweep: { handler: 'src/bridge/sweep.run', events: [{ timer: true, schedule: '0 * * * * *' }] },
      }),
    );
    expect(source.split('\n')).toEqual([
      `import { app } from '@azure/functions';`,
      `import * as m0 from "./src/handlers/users";`,
      `import * as m1 from "./src/bridge/sweep";`,
      `app.generic("users", { trigger: {"type":"httpTrigger","name":"req","route":"users/{*path}","authLevel":"anonymous"}, return: { type: 'http', name: '$return' }, handler: m0.handler });`,
      `app.generic("user", { trigger: {"type":"httpTrigger","name":"req","route":"user","authLevel":"anonymous"}, return: { type: 'http', name: '$return' }, handler: m0.handler });`,
      `app.generic("sweep", { trigger: {"type":"timerTrigger","name":"timer","schedule":"0 * * * * *"}, handler: m1.run });`,
      '',
    ]);
  });

  test.each([
    ['a name that the host refuses', { host: { handler: HANDLER, events: [http] } }, 'refuses its name'],
    ['no handler', { users: { events: [http] } }, `its handler '' names no export`],
    ['no event', { users: { handler: HANDLER } }, 'it has 0 events'],
    ['two events', { users: { handler: HANDLER, events: [http, http] } }, 'it has 2 events'],
    ['an unknown event', { users: { handler: HANDLER, events: [{ blob: true }] } }, 'is none of http'],
    [
      'a setting that its trigger has not',
      { users: { handler: HANDLER, events: [{ ...http, cardinality: 'many' }] } },
      'http has no cardinality',
    ],
  ])('is not made of %s', (_title, functions, message) => {
    expect(() => registrationsOf(functions)).toThrow(message);
  });
});
