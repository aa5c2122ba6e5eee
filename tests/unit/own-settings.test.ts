import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { loadConfig } from '../../src/shared/config/config.ts';
import {
  type OwnConfigOf,
  ownMistakes,
  ownSchema,
  type OwnSettings,
  readOwn,
} from '../../src/shared/config/own-setting.ts';
import { ownSettings } from '../../src/shared/config/own-settings.ts';

const SETTINGS = {
  mailFrom: {
    env: 'MAIL_FROM',
    description: 'Sender',
    type: 'string',
    minLength: 3,
    default: 'shop@example.com',
  },
  mailsAtOnce: {
    env: 'MAILS_AT_ONCE',
    description: 'Bound',
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 10,
  },
  discount: { env: 'DISCOUNT', description: 'Part', type: 'number', minimum: 0, maximum: 1 },
  isOpen: { env: 'IS_OPEN', description: 'Whether it is', type: 'boolean', default: false },
  mode: { env: 'MODE', description: 'Which', type: 'string', enum: ['live', 'test'], default: 'test' },
  countries: {
    env: 'COUNTRIES',
    description: 'Where to',
    type: 'array',
    items: { type: 'string', pattern: '^[A-Z]{2}$' },
    maxItems: 3,
    default: ['DE'],
  },
} as const satisfies OwnSettings;

type Config = OwnConfigOf<typeof SETTINGS>;
// What handlers see; a wrong type does not compile.
const TYPED: Config = {
  mailFrom: '',
  mailsAtOnce: 1,
  discount: 0.5,
  isOpen: true,
  mode: 'live',
  countries: [],
};

const check = new Ajv({ allErrors: true }).compile(ownSchema(SETTINGS));
function read(env: Record<string, string>) {
  const { own, failures } = readOwn(SETTINGS, env);
  check(own);
  return {
    own,
    failures,
    wrong: (check.errors ?? []).map(
      ({ instancePath, params }) => instancePath || Object.values(params).join(),
    ),
  };
}

describe('settings of one’s own', () => {
  test('have their defaults and their types', () => {
    expect(Object.keys(TYPED)).toEqual(Object.keys(SETTINGS));
    expect(read({ DISCOUNT: '0.25' })).toEqual({
      own: {
        mailFrom: 'shop@example.com',
        mailsAtOnce: 10,
        discount: 0.25,
        isOpen: false,
        mode: 'test',
        countries: ['DE'],
      },
      failures: [],
      wrong: [],
    });
  });

  test('come from the variable that the definition fills, and a variable of their own wins', () => {
    const deployed = JSON.stringify({
      MAIL_FROM: 'a@example.com',
      IS_OPEN: 'true',
      DISCOUNT: '1',
      COUNTRIES: 'FR, IT',
    });
    expect(read({ TANDEM_OWN_SETTINGS: deployed, MAIL_FROM: 'b@example.com' }).own).toEqual({
      mailFrom: 'b@example.com',
      mailsAtOnce: 10,
      discount: 1,
      isOpen: true,
      mode: 'test',
      countries: ['FR', 'IT'],
    });
  });

  test('are all judged at once', () => {
    const env = { MAIL_FROM: 'a', MAILS_AT_ONCE: '1e2', IS_OPEN: 'yes', MODE: 'dry', COUNTRIES: 'DE,fr' };
    expect(read(env).wrong.sort()).toEqual([
      '/countries/1',
      '/isOpen',
      '/mailFrom',
      '/mailsAtOnce',
      '/mode',
      'discount',
    ]);
  });

  test.each(['[', '[]', '{"MAIL_FROM":1}', 'null'])(
    'a variable of the definition that is no map is named: %p',
    (text) => {
      expect(read({ TANDEM_OWN_SETTINGS: text, DISCOUNT: '1' }).failures).toMatchObject([
        { pointer: '/ownSettings' },
      ]);
      const env = {
        TANDEM_SITE: 'azure-eastus',
        TANDEM_REGION: 'eastus',
        COSMOS_ENDPOINT: 'https://c',
        COSMOS_DATABASE: 'd',
        COSMOS_CONTAINER: 'c',
        SERVICE_BUS_CONNECTION: 's',
      };
      expect(() => loadConfig('azure', { ...env, TANDEM_OWN_SETTINGS: text })).toThrow(
        /TANDEM_OWN_SETTINGS: must be a JSON object/,
      );
      expect(loadConfig('azure', env).own).toBeDefined();
    },
  );

  test('a declaration with mistakes is refused with all of them', () => {
    const setting = { description: '', type: 'string' } as const;
    const settings = {
      MailFrom: { ...setting, env: 'mailFrom' },
      table: { ...setting, env: 'TANDEM_TABLE' },
      key: { ...setting, env: 'SECRET_KEY' },
      one: { ...setting, env: 'SAME' },
      two: { ...setting, env: 'SAME' },
    };
    expect(ownMistakes(settings)).toHaveLength(6);
    expect(() => ownSchema(settings)).toThrow(/MailFrom: .*TANDEM_TABLE.*SECRET_KEY.*SAME/);
  });

  test('the product’s own are well formed', () => {
    expect(ownMistakes(ownSettings)).toEqual([]);
  });
});
