/** The rule book of `--param` and `custom.features`. */
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';

interface Given {
  readonly params: Readonly<Record<string, object>>;
  readonly features: Readonly<Record<string, unknown>>;
  readonly requested: readonly string[];
  readonly needs: Readonly<Record<string, { readonly flag?: string; readonly values?: readonly string[] }>>;
  readonly valueOf: (name: string) => unknown;
}
const { mistakesIn } = createRequire(import.meta.url)('../../infra/parameters.cjs') as {
  readonly mistakesIn: (given: Given) => string[];
};

const given = (requested: string[], features: Given['features'] = { cdn: 'false', waf: 'false' }): Given => ({
  params: { default: { app: '', operatorKeys: '', peers: '[]' }, prod: { logLevel: 'warn' } },
  features,
  requested,
  needs: { waf: { flag: 'cdn' }, customDomain: { values: ['domain'] } },
  valueOf: () => '',
});
const unknown = (name: string): string => `--param ${name}: there is no such parameter; `;

describe('parameters of a definition', () => {
  test.each([
    ['one letter too few', 'operatorKey=abc', `${unknown('operatorKey')}did you mean operatorKeys?`],
    ['two letters swapped', 'peesr=[]', `${unknown('peesr')}did you mean peers?`],
    ['another case', 'OPERATORKEYS=abc', `${unknown('OPERATORKEYS')}did you mean operatorKeys?`],
    [
      'a flag without its prefix',
      'features.cnd=true',
      `${unknown('features.cnd')}did you mean features.cdn?`,
    ],
    ['no value at all', 'operatorKey', `${unknown('operatorKey')}did you mean operatorKeys?`],
    [
      'nothing like any other',
      'colour=red',
      `${unknown('colour')}there are app, operatorKeys, peers, logLevel, features.cdn, features.waf`,
    ],
    [
      'a name of the prototype',
      'constructor=1',
      `${unknown('constructor')}there are app, operatorKeys, peers, logLevel, features.cdn, features.waf`,
    ],
  ])('are refused when misspelt: %s', (_, requested, mistake) => {
    expect(mistakesIn(given([requested]))).toEqual([mistake]);
  });

  test('are taken when the definition has them, at any stage', () => {
    expect(
      mistakesIn(given(['app=acme', 'peers=[{"a":"b=c"}]', 'logLevel=info', 'features.cdn=false'])),
    ).toEqual([]);
  });

  test('every mistake is named, in flags too', () => {
    const features = { cdn: false, waf: 'true', customDomain: true, tracing: 'yes' };
    expect(mistakesIn(given(['ap=acme'], features))).toEqual([
      `${unknown('ap')}did you mean app?`,
      "tracing is true or false, not 'yes'",
      'waf needs cdn',
      'customDomain needs --param "domain=…"',
    ]);
  });
});
