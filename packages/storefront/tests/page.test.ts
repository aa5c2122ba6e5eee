import zlib from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { bundleStorefront } from '../src/build/bundle.ts';
import { pageHeaders, pagesFor, policyOf } from '../src/build/page.ts';
import { readConfig } from '../src/config.ts';

const SCRIPT_BYTES_MAX = 50_000;

const config = readConfig({
  sites: [
    { name: 'aws-us-east-1', url: 'https://aws.example.com/prod/' },
    { name: 'azure-eastus', url: 'https://azure.example.com' },
  ],
  pictures: ['https://shop.s3.us-east-1.amazonaws.com'],
});
const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe('what is built', () => {
  test('is a script of less than 50 kB with gzip, styles and an icon, kept for ever under their own names', async () => {
    const files = await bundleStorefront();
    expect(files.map(({ name }) => name.replace(/-[A-Z0-9]+\./, '.')).sort()).toEqual([
      'app.js',
      'icon.svg',
      'style.css',
    ]);
    const script = files.find(({ name }) => name.endsWith('.js'));
    expect(zlib.gzipSync(script?.bytes ?? '').length).toBeLessThan(SCRIPT_BYTES_MAX);
    for (const { cacheControl } of files) expect(cacheControl).toContain('immutable');
    for (const { contentType } of files) expect(contentType).not.toBe('');
  });

  test('puts no text into a page as markup', async () => {
    const script = (await bundleStorefront()).find(({ name }) => name.endsWith('.js'));
    expect(textOf(script?.bytes)).not.toMatch(
      /\binsertAdjacentHTML\b|\bdocument\.write\b|\beval\(|new Function\b/,
    );
  });
});

describe('the page', () => {
  test('names the files that were built, and is never shown without asking for a newer one', async () => {
    const assets = await bundleStorefront();
    const [page, site] = pagesFor(config, assets);
    for (const { name } of assets) expect(textOf(page?.bytes)).toContain(`"${name}"`);
    expect(page?.cacheControl).toBe('no-cache');
    expect(JSON.parse(textOf(site?.bytes))).toEqual(config);
    expect(readConfig(JSON.parse(textOf(site?.bytes)))).toEqual(config);
  });

  test('lets in scripts of its own address only, and speaks to the sites only', () => {
    const policy = policyOf(config);
    expect(policy).not.toContain('unsafe');
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self' https://aws.example.com https://azure.example.com;");
    expect(policy).toContain(
      "img-src 'self' https://aws.example.com https://azure.example.com https://shop.s3.us-east-1.amazonaws.com;",
    );
    expect(pageHeaders(config)['content-security-policy']).toContain("frame-ancestors 'none'");
  });
});

describe('site.json', () => {
  test('is told all its mistakes at once', () => {
    const bad = { sites: [{ name: '', url: 'ftp://x' }], pictures: ['https://x/y'], payments: 'cash' };
    expect(() => readConfig(bad)).toThrow(
      'site.json: sites[0].name must be a name; sites[0].url must be an http or https URL without a sign-in, query and fragment; pictures[0] must be an origin; payments must be stripe or paypal',
    );
    expect(() => readConfig(null)).toThrow('sites must name one site at least');
  });

  test.each([
    'https://u:p@a.example',
    'https://a.example/?q',
    'https://a.example/#x',
    'javascript:alert(1)',
    7,
  ])('takes no %j for a site', (url) => {
    expect(() => readConfig({ sites: [{ name: 'a', url }] })).toThrow('sites[0].url');
  });
});
