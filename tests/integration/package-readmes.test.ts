/** Every package has a README that says what it is and what it imports, and whose example runs. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exampleOf, node } from '../helpers/package-examples.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const PACKAGES = fs.readdirSync(path.join(ROOT, 'packages'));

/** Of somebody who uses the packages of this checkout. */
let user: string;

beforeAll(() => {
  user = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'readmes-')));
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(user, 'node_modules'));
});
afterAll(() => fs.rmSync(user, { recursive: true, force: true }));

describe.each(PACKAGES)('%s', (name) => {
  test('says what it imports, of our packages all that its package.json names', () => {
    const readme = fs.readFileSync(path.join(ROOT, 'packages', name, 'README.md'), 'utf8');
    const [, imports = ''] = /^Imports: (.*)$/m.exec(readme) ?? [];
    const { dependencies = {} } = JSON.parse(
      fs.readFileSync(path.join(ROOT, 'packages', name, 'package.json'), 'utf8'),
    ) as { dependencies?: Record<string, string> };
    const ours = Object.keys(dependencies).flatMap((one) => /(?<=^@tandem-clouds\/).*/.exec(one) ?? []);
    expect(imports).not.toBe('');
    expect(ours.filter((one) => !imports.includes(one))).toEqual([]);
    if (ours.length === 0) expect(imports).toBe('nothing.');
  });

  test('has links that lead somewhere', () => {
    const folder = path.join(ROOT, 'packages', name);
    const readme = fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\(([^)#]+)/g)].flatMap(([, link = '']) =>
      /^https?:/.test(link) ? [] : [link],
    );
    expect(links.filter((link) => !fs.existsSync(path.join(folder, link)))).toEqual([]);
  });

  test('has an example that runs', async () => {
    // An assertion that fails is an exit status that is not 0.
    await node(user, '--conditions=aws', exampleOf(name, user));
    const example = fs.readFileSync(exampleOf(name, user), 'utf8');
    expect(example).toContain(`'@tandem-clouds/${name}`);
    if (name !== 'emulators') expect(example).toContain('assert.');
  });
});
