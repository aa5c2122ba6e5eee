/** The shop at the edge's root, in front of sites whose paths stay theirs. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '@tandem-clouds/storefront/build/page';
import { startOrigin, type TestOrigin } from '../../../tests/helpers/origin.ts';
import { waitUntil } from '../../../tests/helpers/wait-until.ts';
import { type Edge, startEdge } from '../src/edge/proxy.ts';

let site: TestOrigin;
let edge: Edge;

beforeAll(async () => {
  site = await startOrigin('aws-a');
  const shop = readConfig({ sites: [{ name: 'aws-a', url: site.url.href }] });
  edge = await startEdge({ origins: [site], shop });
  await waitUntil('the site is healthy', () => edge.sites()['aws-a'] === true || undefined);
});

afterAll(async () => {
  await edge.close();
  await site.kill();
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(edge.url + path, init);

describe('the edge with a shop', () => {
  test('has the page at its root, under a policy that lets in its own scripts and the sites only', async () => {
    const page = await ask('/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).toContain(`connect-src 'self' ${site.url.origin};`);
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('serves what the page names, to be kept, and still serves it after the page was built anew', async () => {
    const names = [
      ...(await (await ask('/?redirect_status=succeeded')).text()).matchAll(/(?:src|href)="([^"]+)"/g),
    ];
    await (await ask('/')).text();
    expect(names).toHaveLength(3);
    for (const [, name = ''] of names) {
      const file = await ask(`/${name}`);
      expect(file.status).toBe(200);
      expect(file.headers.get('cache-control')).toContain('immutable');
      expect(file.headers.get('content-length')).toBe(String((await file.arrayBuffer()).byteLength));
    }
    expect((await ask('/app-AAAAAAAA.js')).status).toBe(404);
  });

  test('says where the sites are', async () => {
    const response = await ask('/site.json');
    expect(await response.json()).toEqual({
      sites: [{ name: 'aws-a', url: site.url.origin }],
      pictures: [],
      payments: 'stripe',
    });
  });

  test('answers HEAD without a body, and leaves writes and all other paths to the sites', async () => {
    const head = await ask('/', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const path of ['/products', '/assets', '/app', '/site', '/index.html/x'])
      expect((await ask(path)).headers.get('x-tandem-edge')).toBe('aws-a');
    expect((await ask('/', { method: 'POST' })).headers.get('x-tandem-edge')).toBe('aws-a');
  });
});
