/**
 * The order of imports: Node, then packages, then ours by name, then `#cloud`, then files by path, each by name.
 *
 * A configuration of eslint by itself too, without types and so in seconds:
 * `npx eslint --config scripts/lint/import-order.js --quiet --fix .`
 */
import simpleImportSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

/** Of one group without blank lines; `\u0000` begins what is imported for its effects alone. */
const ORDER = ['^\\u0000', '^node:', '^@?\\w', '^@tandem-clouds/', '^#', '^\\.'];

export const importOrder = {
  plugins: { 'simple-import-sort': simpleImportSort },
  rules: { 'simple-import-sort/imports': ['error', { groups: [ORDER] }] },
};

/** What is made by a program, or is not ours. */
export const IGNORED = [
  'node_modules/',
  '.artifacts/',
  '.esbuild/',
  '.serverless/',
  '.tandem/',
  '.peers/',
  '.bench/',
  'src/shared/generated/',
  'packages/client/src/generated/',
];

export default [
  { ignores: IGNORED },
  {
    ...importOrder,
    files: ['**/*.{ts,js,mjs,cjs}'],
    languageOptions: { parser: tseslint.parser },
    linterOptions: { noInlineConfig: true },
  },
];
