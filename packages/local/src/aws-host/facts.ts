/** What API Gateway and Lambda publish, and the tests that hold the local host to it. */
import { type EmulatorFacts, testsOf } from '@tandem-clouds/emulators/core/fact';

const LAMBDA = 'https://docs.aws.amazon.com/lambda/latest/dg';
const GATEWAY = 'https://docs.aws.amazon.com/apigateway/latest/developerguide';
const own = testsOf('packages/local/tests/aws-host/host.test.ts');
const responses = testsOf('tests/integration/same-responses.test.ts');

export const awsHostFacts: EmulatorFacts = {
  id: 'lambda-and-api-gateway',
  title: 'Lambda and API Gateway',
  folder: 'packages/local/src/aws-host',
  facts: [
    {
      kind: 'shape',
      what: 'a batch of SQS comes as Records, with attributes, ids and the ARN of the queue',
      source: `${LAMBDA}/with-sqs.html`,
      held: own('hand over the event that Lambda builds, and delete what was handled'),
    },
    {
      kind: 'shape',
      what: 'of a batch, what batchItemFailures names comes back, and nothing else',
      source: `${LAMBDA}/services-sqs-errorhandling.html`,
      held: own('keep only the messages that the function reports as failed'),
    },
    {
      kind: 'validation',
      what: 'a list of failures that is not one, or names a stranger, fails the whole batch',
      source: `${LAMBDA}/services-sqs-errorhandling.html`,
      held: own('%s fails the whole batch', 'a stranger'),
    },
    {
      kind: 'shape',
      what: 'nothing, null, an empty object or list is success',
      source: `${LAMBDA}/services-sqs-errorhandling.html`,
      held: own('%s is success but for what it names', 'a null list'),
    },
    {
      kind: 'shape',
      what: 'a schedule comes with the event of an EventBridge rule',
      source: `${LAMBDA}/with-eventbridge-scheduler.html`,
      held: own('a schedule runs soon after the start, with the event of an EventBridge rule'),
    },
    {
      kind: 'shape',
      what: 'an HTTP API gives rawPath decoded once, headers of one name joined by commas, and a body that is no text in base64',
      source: `${GATEWAY}/http-api-develop-integrations-lambda.html`,
      held: responses('%s'),
    },
    {
      kind: 'shape',
      what: 'HEAD states the length of what GET sends',
      source: 'https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2',
      held: responses('HEAD states the length of what GET sends'),
    },
    {
      kind: 'limit',
      what: 'a body has at most 10 MB, headers and request line 10,240 bytes, an invocation’s answer 6 MB',
      source: `${GATEWAY}/http-api-quotas.html`,
      held: 'because the product refuses far below, and is tested there (docs/limits.md)',
    },
    {
      kind: 'timing',
      what: 'a function ends at its time-out, and its messages come back',
      source: `${LAMBDA}/configuration-timeout.html`,
      held: own('keep the whole batch when %s', 'the function takes longer than its time-out'),
    },
    {
      kind: 'timing',
      what: 'Lambda ends a chain that re-triggers itself through SQS after 16 hops',
      source: `${LAMBDA}/invocation-recursion.html`,
      held: own('is invoked 16 times in one chain; then its message is refused until it is dead-lettered'),
    },
    {
      kind: 'tier',
      what: 'a new account may have ten concurrent executions; a throttled poll counts as a receive',
      source: `${LAMBDA}/gettingstarted-limits.html`,
      held: testsOf('tests/contract/lambda-throttles.test.ts')('was dead-lettered with the counts of before'),
    },
    {
      kind: 'tier',
      what: 'memory, and processors that grow with it; a cold start for each new instance',
      source: `${LAMBDA}/configuration-memory.html`,
      held: 'because one process is not an instance; `npm run bench -- bundle` loads the bundles as Lambda does',
    },
  ],
};
