import { describe, expect, test } from '@jest/globals';
import { RouteTable } from '../../src/azure-host/route-table.ts';

const table = (...templates: string[]) =>
  new RouteTable(templates.map((template) => ({ template, methods: new Set(['GET']), target: template })));

describe('a path finds its function', () => {
  const routes = table(
    '{*path}',
    'users/{*path}',
    'users/{id}',
    'users/me',
    'users/{id:int}',
    'users/{id}/orders/{order?}',
    'user',
    'replication/{*path}',
    'replication',
  );

  test.each([
    ['a literal before a parameter', '/users/me', 'users/me', {}],
    ['a constrained parameter before a free one', '/users/42', 'users/{id:int}', { id: '42' }],
    ['a parameter before a catch-all', '/users/ada', 'users/{id}', { id: 'ada' }],
    ['a catch-all that matches nothing more', '/users', 'users/{*path}', {}],
    ['a catch-all that matches several segments', '/users/a/b/c', 'users/{*path}', { path: 'a/b/c' }],
    ['a literal before a catch-all that matches nothing', '/replication', 'replication', {}],
    ['a catch-all below a literal', '/replication/pauses', 'replication/{*path}', { path: 'pauses' }],
    ['an optional parameter that is absent', '/users/1/orders', 'users/{id}/orders/{order?}', { id: '1' }],
    ['an optional parameter', '/users/1/orders/2', 'users/{id}/orders/{order?}', { id: '1', order: '2' }],
    ['a literal in another case', '/USER', 'user', {}],
    ['a trailing slash', '/user/', 'user', {}],
    ['the root', '/', '{*path}', {}],
    ['anything else', '/nowhere/at/all', '{*path}', { path: 'nowhere/at/all' }],
    ['what is percent-encoded', '/users/%C3%A9%20a', 'users/{id}', { id: 'é a' }],
    ['an encoded slash, which stays', '/users/a%2Fb', 'users/{id}', { id: 'a%2Fb' }],
    ['what is not UTF-8, which stays', '/users/%ff', 'users/{id}', { id: '%ff' }],
  ])('%s', (_title, path, target, params) => {
    expect(routes.find('GET', path)).toEqual({ target, params });
  });

  test('not with another method', () => {
    expect(routes.find('POST', '/user')).toBeUndefined();
  });

  test('not without a catch-all', () => {
    expect(table('user').find('GET', '/users')).toBeUndefined();
  });
});

test.each([
  ['an unknown constraint', 'users/{id:regex(x)}', /not supported/],
  ['a segment of several parts', 'files/{name}.{ext}', /not supported/],
])('%s is refused, not ignored', (_title, template, message) => {
  expect(() => table(template)).toThrow(message);
});
