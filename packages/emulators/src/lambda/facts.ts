/** What Lambda publishes about provisioned concurrency, and the tests that hold the emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const API = 'https://docs.aws.amazon.com/lambda/latest/api';
const GUIDE = 'https://docs.aws.amazon.com/lambda/latest/dg';
const own = testsOf('packages/emulators/tests/lambda.test.ts');
const refused = (row: string): ReturnType<typeof own> => own('is refused %s', row);

export const lambdaFacts: EmulatorFacts = {
  id: 'lambda-provisioned-concurrency',
  title: 'Lambda (provisioned concurrency)',
  folder: 'packages/emulators/src/lambda',
  facts: [
    {
      kind: 'limit',
      what: '100 of the concurrency of an account stay for functions that have none of their own',
      source: `${GUIDE}/configuration-concurrency.html`,
      held: refused('of more than the account leaves'),
    },
    {
      kind: 'limit',
      what: 'a function cannot have more provisioned than it has reserved',
      source: `${GUIDE}/provisioned-concurrency.html`,
      held: refused('of more than the function has reserved'),
    },
    {
      kind: 'limit',
      what: 'the control plane takes 15 requests a second',
      source: `${GUIDE}/gettingstarted-limits.html`,
      held: 'because the monitor asks ten a second at most, by a pace of its own',
    },
    {
      kind: 'validation',
      what: 'one instance at least is provisioned',
      source: `${API}/API_PutProvisionedConcurrencyConfig.html`,
      held: refused('of nothing'),
    },
    {
      kind: 'validation',
      what: 'what is not published has none',
      source: `${GUIDE}/provisioned-concurrency.html`,
      held: refused('of what is not published'),
    },
    {
      kind: 'validation',
      what: 'a request is signed with Signature Version 4',
      source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html',
      held: 'because only that there is one for this service is looked at: who may do what is asked of the policies',
    },
    {
      kind: 'error',
      what: 'a function or an alias that is not there is ResourceNotFoundException',
      source: `${API}/API_GetFunctionConfiguration.html`,
      held: refused('at an alias that is not there'),
    },
    {
      kind: 'error',
      what: 'an alias without any is ProvisionedConcurrencyConfigNotFoundException',
      source: `${API}/API_GetProvisionedConcurrencyConfig.html`,
      held: own('is asked for, there a few looks later, and gone when it is deleted'),
    },
    {
      kind: 'timing',
      what: 'what is asked for is IN_PROGRESS before it is READY',
      source: `${API}/API_GetProvisionedConcurrencyConfig.html`,
      held: own('is asked for, there a few looks later, and gone when it is deleted'),
    },
  ],
};
