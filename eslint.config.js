/**
 * Type-checked lint. The arrows between the rooms (scripts/lint/rooms.js) are a rule here: what may import what. So is the
 * order of imports (scripts/lint/import-order.js).
 */
import tseslint from 'typescript-eslint';
import { arrows } from './scripts/lint/arrows.js';
import { IGNORED, importOrder } from './scripts/lint/import-order.js';

const restrict = (message, ...group) => ({ group, message });

/** A folder that may not import these. */
const boundary = (files, ...patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const IMPURE = [
  { object: 'Date', property: 'now', message: 'The clock comes in through a port.' },
  { object: 'Math', property: 'random', message: 'Randomness comes in through a port.' },
  { object: 'process', property: 'env', message: 'Only src/shared/config/config.ts reads the environment.' },
];

export default tseslint.config(
  {
    ignores: IGNORED,
  },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', 'scripts/*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreVoidOperator: true, ignoreArrowShorthand: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'off',
      eqeqeq: 'error',
    },
  },
  {
    // Generators are driven, not awaited: a protocol step has no await and its yields are typed by its helpers.
    files: ['src/**'],
    rules: { 'no-restricted-properties': ['error', IMPURE[2]], 'no-console': 'error' },
  },
  { files: ['src/shared/config/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    plugins: { house: { rules: { arrows } } },
    rules: { 'house/arrows': 'error' },
  },
  importOrder,
  boundary(
    [
      'src/handlers/**',
      'src/bridge/**',
      'src/shared/*.ts',
      'src/shared/{config,http,validation,ports,operations}/**',
    ],
    restrict(
      'Only adapters know a vendor; import from #cloud.',
      '@aws-sdk/*',
      '@azure/*',
      '@smithy/*',
      'stripe',
    ),
  ),
  boundary(
    ['packages/replication/src/**', 'src/shared/domain/**'],
    restrict(
      'Pure code knows ports by their types only.',
      '@aws-sdk/*',
      '@azure/*',
      '@smithy/*',
      '#cloud',
      '#objects',
      '#sms',
      '#sql',
      '#cdn',
      'stripe',
      'node:*',
    ),
  ),
  {
    files: ['packages/replication/src/**', 'src/shared/domain/**'],
    rules: {
      'no-restricted-properties': ['error', ...IMPURE],
      'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'crypto', 'fetch', 'performance'],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
          message: 'The clock comes in through a port.',
        },
      ],
    },
  },
  boundary(['src/shared/adapters/aws/**'], restrict('An adapter knows one cloud.', '@azure/*')),
  boundary(['src/shared/adapters/azure/**'], restrict('An adapter knows one cloud.', '@aws-sdk/*')),
  {
    files: ['tests/**', 'packages/*/tests/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, '@typescript-eslint/no-require-imports': 'off' },
  },
);
