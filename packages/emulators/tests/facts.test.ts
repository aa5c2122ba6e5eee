/** What the emulators say about themselves: every test that they name exists, and every page is about all of them. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { emulatorDocuments, EMULATORS } from '../../../scripts/generate/emulators.ts';
import type { TestName } from '../src/core/fact.ts';

const ROOT = path.join(import.meta.dirname, '../../..');

interface Found {
  /** Of tests that run: `test('…')`, `test.each(…)('…')`. */
  readonly titles: ReadonlySet<string>;
  /** Every text of the file. */
  readonly texts: ReadonlySet<string>;
}

/** @param source TypeScript. */
function testsIn(source: string): Found {
  const titles = new Set<string>();
  const texts = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    if (ts.isCallExpression(node)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title) && isTest(node.expression))
        titles.add(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest));
  return { titles, texts };
}

/** `test`, what `test.each(…)` gives, or `(… ? test.failing : test)`; not `test.skip`, nor `test.todo`. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'test';
  if (ts.isParenthesizedExpression(callee) && ts.isConditionalExpression(callee.expression))
    return isTest(callee.expression.whenFalse);
  if (!ts.isCallExpression(callee)) return false;
  const { expression } = callee;
  return (
    ts.isPropertyAccessExpression(expression) &&
    ts.isIdentifier(expression.expression) &&
    expression.expression.text === 'test' &&
    expression.name.text === 'each'
  );
}

const files = new Map<string, Found>();
function found({ file }: TestName): Found {
  const at = path.join(ROOT, file);
  const known = files.get(file) ?? testsIn(fs.existsSync(at) ? fs.readFileSync(at, 'utf8') : '');
  files.set(file, known);
  return known;
}

describe.each(EMULATORS.map((emulator) => [emulator.title, emulator] as const))(
  '%s',
  (_title, { id, folder, facts }) => {
    test('names tests that exist, by file and title', () => {
      const missing = facts.flatMap(({ held }) => {
        if (typeof held === 'string') return [];
        const { titles, texts } = found(held);
        if (!titles.has(held.title)) return [`${held.file}: no test '${held.title}'`];
        return held.row === undefined || texts.has(held.row) ? [] : [`${held.file}: no row '${held.row}'`];
      });
      expect(missing).toEqual([]);
    });

    test('has a source for every row, each row once, and a reason for what is not imitated', () => {
      expect(fs.existsSync(path.join(ROOT, folder))).toBe(true);
      const rows = facts.map(({ what }) => what);
      expect(rows.length).toBe(new Set(rows).size);
      for (const { source, held } of facts) {
        expect(source).toMatch(/^https:\/\/[a-z.-]+\/[^ ]*$/);
        if (typeof held === 'string') expect(held).toMatch(/^because .{20,}/);
      }
    });

    test('is in its page with every row', () => {
      const page = emulatorDocuments()[`docs/emulators/${id}.md`] ?? '';
      for (const { source } of facts) expect(page).toContain(`(${source})`);
      expect(page.split('\n').filter((line) => /^\| (?!the service|---)/.test(line)).length).toBe(
        facts.length,
      );
    });
  },
);

test('the README of the package has a row for each that can be used by itself, with suites that exist', () => {
  const scopes = EMULATORS.flatMap(({ title, scope }) => (scope === undefined ? [] : [{ title, ...scope }]));
  expect(scopes.map(({ title }) => title)).toEqual([
    'DynamoDB',
    'SQS',
    'S3',
    'Secrets Manager',
    'Cosmos DB',
    'Service Bus',
    'Key Vault',
    'Blob Storage',
    'Stripe',
    'PayPal',
    'Mail (SMTP)',
    'SNS (SMS)',
    'Communication Services (SMS)',
  ]);
  const readme = emulatorDocuments()['packages/emulators/README.md'] ?? '';
  for (const { title, serves, lacks, suites } of scopes) {
    const row = readme.split('\n').find((line) => line.startsWith(`| ${title} `) && line.includes(serves));
    expect(row).toContain(lacks);
    for (const suite of suites) {
      expect(row).toContain(suite);
      expect(fs.existsSync(path.join(ROOT, suite))).toBe(true);
    }
  }
});

test('every emulator of a service and every host has facts', () => {
  const foldersIn = (parent: string): string[] =>
    fs
      .readdirSync(path.join(ROOT, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  const folders = [...foldersIn('packages/emulators/src'), ...foldersIn('packages/local/src')];
  // Protocols that have no vendor, what all emulators have, and what is no emulator; the emulators of Route 53 and
  // Cloudflare say in their heads what of them the tests of dns/ need.
  const others = [
    'core',
    'sms',
    'dns',
    'oidc',
    'otlp',
    'route53',
    'cloudflare',
    'code',
    'edge',
    'faults',
    'one-site',
    'processes',
    'seed',
    'stack',
    'types',
  ];
  expect(EMULATORS.map(({ folder }) => path.basename(folder)).sort()).toEqual(
    folders.filter((name) => !others.includes(name)).sort(),
  );
});
