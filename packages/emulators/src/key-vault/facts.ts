/** What Key Vault publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const GUIDE = 'https://learn.microsoft.com/azure/key-vault';
const REST = 'https://learn.microsoft.com/rest/api/keyvault/secrets';
const FILE = 'packages/emulators/tests/key-vault.test.ts';
const own = testsOf(FILE);

export const keyVaultFacts: EmulatorFacts = {
  id: 'key-vault',
  title: 'Key Vault',
  folder: 'packages/emulators/src/key-vault',
  scope: {
    serves: 'secrets, versions, attributes, soft delete, recovery and purge; filled from a .env file',
    lacks: 'keys, certificates, lists, backups, roles; any token is taken; nothing is kept on disk',
    suites: [FILE],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a value has at most 25 KB',
      source: `${GUIDE}/secrets/about-secrets`,
      held: own('a value of more than 25 kB is refused'),
    },
    {
      kind: 'limit',
      what: 'a vault answers 4,000 reads of secrets in ten seconds',
      source: `${GUIDE}/general/service-limits`,
      held: 'because no test asks so often; a fault rule throttles',
    },
    {
      kind: 'validation',
      what: 'a name has 1 to 127 letters, digits and dashes',
      source: `${GUIDE}/general/about-keys-secrets-certificates`,
      held: own('a name with %s is refused', 'an underscore in it'),
    },
    {
      kind: 'validation',
      what: 'a request names a version of the API',
      source: `${REST}/get-secret/get-secret`,
      held: own('a request %s is refused', 'without a version of the API'),
    },
    {
      kind: 'error',
      what: 'a request without a token is 401, with a challenge that names the tenant and the resource',
      source: `${GUIDE}/general/authentication-requests-and-responses`,
      held: own('a request without a token gets 401 with the challenge that the SDK answers'),
    },
    {
      kind: 'error',
      what: 'who may not read a secret gets 403',
      source: `${GUIDE}/general/rest-error-codes`,
      held: 'because the emulator knows no roles; a fault rule with the code Forbidden refuses',
    },
    {
      kind: 'error',
      what: 'a secret that is not there is 404, SecretNotFound',
      source:
        'https://github.com/Azure/azure-sdk-for-rust/blob/main/sdk/keyvault/azure_security_keyvault_secrets/README.md',
      held: own('a secret that is not there is SecretNotFound'),
    },
    {
      kind: 'error',
      what: 'a disabled secret is 403, with SecretDisabled inside',
      source: `${GUIDE}/secrets/about-secrets`,
      held: own('a disabled secret is Forbidden, with the reason inside'),
    },
    {
      kind: 'error',
      what: 'throttling is 429',
      source: `${GUIDE}/general/overview-throttling`,
      held: own('throttling is 429 with a time to wait'),
    },
    {
      kind: 'shape',
      what: 'a secret without a version in its path is the one that was set last',
      source: `${REST}/get-secret/get-secret`,
      held: own('gives the version that was set last, and an older one by its id'),
    },
    {
      kind: 'shape',
      what: 'names differ in more than their case',
      source: `${GUIDE}/general/about-keys-secrets-certificates`,
      held: own('names are the same whatever their case'),
    },
    {
      kind: 'shape',
      what: 'a secret is given also before nbf and after exp',
      source: `${GUIDE}/secrets/about-secrets`,
      held: own('a secret outside its dates is given all the same'),
    },
    {
      kind: 'timing',
      what: 'a deleted secret keeps its name until it is purged or its 90 days are over',
      source: `${GUIDE}/general/soft-delete-overview`,
      held: own('a deleted secret keeps its name until it is purged'),
    },
    {
      kind: 'timing',
      what: 'a deleted secret can be recovered',
      source: `${GUIDE}/general/soft-delete-overview`,
      held: own('a deleted secret can be recovered'),
    },
  ],
};
