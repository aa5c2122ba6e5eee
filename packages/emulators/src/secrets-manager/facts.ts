/** What Secrets Manager publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const GUIDE = 'https://docs.aws.amazon.com/secretsmanager/latest/userguide';
const API = 'https://docs.aws.amazon.com/secretsmanager/latest/apireference';
const FILE = 'packages/emulators/tests/secrets-manager.test.ts';
const own = testsOf(FILE);

export const secretsManagerFacts: EmulatorFacts = {
  id: 'secrets-manager',
  title: 'Secrets Manager',
  folder: 'packages/emulators/src/secrets-manager',
  scope: {
    serves: 'secrets, versions and labels, deletion and recovery; filled from a .env file',
    lacks: 'rotation by a function, replication, tags, policies, encryption, lists; nothing is kept on disk',
    suites: [FILE],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a value has 1 to 65,536 bytes',
      source: `${GUIDE}/reference_limits.html`,
      held: own('creating with %s is refused, and nothing is made', 'a value of more than 65,536 bytes'),
    },
    {
      kind: 'limit',
      what: 'a name has at most 512 characters',
      source: `${API}/API_CreateSecret.html`,
      held: own('%s is refused', 'a name of more than 512 characters'),
    },
    {
      kind: 'limit',
      what: 'GetSecretValue and DescribeSecret are granted 10,000 times a second together',
      source: `${GUIDE}/reference_limits.html`,
      held: 'because no test asks so often; a fault rule throttles',
    },
    {
      kind: 'validation',
      what: 'a name has ASCII letters, digits and /_+=.@-; the service takes ! as well',
      source:
        'https://github.com/localstack/localstack/blob/main/tests/aws/services/secretsmanager/test_secretsmanager.py',
      held: own('%s is refused', 'a name with other characters'),
    },
    {
      kind: 'validation',
      what: 'a value is a text or bytes, not both',
      source: `${API}/API_CreateSecret.html`,
      held: own('creating with %s is refused, and nothing is made', 'a text and bytes at once'),
    },
    {
      kind: 'validation',
      what: 'a ClientRequestToken has 32 to 64 characters',
      source: `${API}/API_PutSecretValue.html`,
      held: own('creating with %s is refused, and nothing is made', 'a token of fewer than 32 characters'),
    },
    {
      kind: 'validation',
      what: 'a recovery window has 7 to 30 days',
      source: `${API}/API_DeleteSecret.html`,
      held: own('a recovery window below 7 days is refused'),
    },
    {
      kind: 'error',
      what: 'a secret that is not there is ResourceNotFoundException, with the status 400',
      source: `${API}/API_GetSecretValue.html`,
      held: own('%s is refused', 'a secret that is not there'),
    },
    {
      kind: 'error',
      what: 'a secret that exists is ResourceExistsException',
      source: `${API}/API_CreateSecret.html`,
      held: own('a name that exists is refused'),
    },
    {
      kind: 'error',
      what: 'a secret that is marked for deletion is InvalidRequestException',
      source: `${API}/API_GetSecretValue.html`,
      held: own('a secret that is marked for deletion gives nothing until it is restored, and then is gone'),
    },
    {
      kind: 'error',
      what: 'throttling is ThrottlingException, and can be tried again',
      source: `${API}/CommonErrors.html`,
      held: own('throttling is retryable'),
    },
    {
      kind: 'shape',
      what: 'a secret is named by its name, its ARN, or its ARN without the six characters at the end',
      source: `${API}/API_GetSecretValue.html`,
      held: own('gives the current version, by name, by ARN and by ARN without its suffix'),
    },
    {
      kind: 'shape',
      what: 'a new value moves AWSCURRENT, and AWSPREVIOUS to where it was',
      source: `${API}/API_PutSecretValue.html`,
      held: own('keeps the version before the current one under its label'),
    },
    {
      kind: 'shape',
      what: 'a call with the same token and value is done once; another value under the token is refused',
      source: `${API}/API_PutSecretValue.html`,
      held: own('a token makes the same call safe to repeat, and another value under it is refused'),
    },
  ],
};
