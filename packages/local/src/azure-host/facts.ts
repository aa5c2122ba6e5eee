/** What the Functions host and Flex Consumption publish, and the tests that hold the local host to it. */
import { type EmulatorFacts, testsOf } from '@tandem-clouds/emulators/core/fact';

const LEARN = 'https://learn.microsoft.com/azure/azure-functions';
const own = testsOf('packages/local/tests/azure-host/host.test.ts');

export const azureHostFacts: EmulatorFacts = {
  id: 'functions',
  title: 'Azure Functions',
  folder: 'packages/local/src/azure-host',
  facts: [
    {
      kind: 'limit',
      what: 'a request has at most 100 MB',
      source: `${LEARN}/functions-bindings-http-webhook-trigger#limits`,
      held: own('a body of more than 100 MB is refused'),
    },
    {
      kind: 'validation',
      what: 'a function.json that cannot work is refused at the start',
      source: `${LEARN}/functions-reference-node`,
      held: own('%s', 'an unknown trigger'),
    },
    {
      kind: 'validation',
      what: 'a schedule of a timer has six fields',
      source: `${LEARN}/functions-bindings-timer#ncrontab-expressions`,
      held: own('%s', 'a schedule that is none'),
    },
    {
      kind: 'error',
      what: 'no route is a bare 404; a function that throws is a bare 500',
      source: `${LEARN}/functions-bindings-http-webhook-trigger`,
      held: own('no route, or a route with other methods, is a bare 404'),
    },
    {
      kind: 'shape',
      what: 'the most specific route answers, a catch-all the rest',
      source: `${LEARN}/functions-bindings-http-webhook-trigger#customize-the-http-endpoint`,
      held: own('the most specific route answers, and a catch-all answers the rest, the root included'),
    },
    {
      kind: 'shape',
      what: 'several headers of one name are joined by a comma; each cookie is a header of its own',
      source: `${LEARN}/functions-reference-node`,
      held: own('several headers of one name are joined by a comma'),
    },
    {
      kind: 'shape',
      what: 'without a data type the host parses a batch, and one malformed message fails it unseen',
      source: `${LEARN}/functions-bindings-service-bus-trigger`,
      held: own('without a data type the batch is parsed, and a malformed message fails it unseen'),
    },
    {
      kind: 'shape',
      what: 'a request without Content-Length has no body for a Node worker',
      source:
        'https://github.com/Azure/azure-functions-host/blob/v4.1037.0/src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageConversionExtensions.cs',
      held: own('a body of no stated length is not handed over'),
    },
    {
      kind: 'shape',
      what: 'platforms add headers of their own: x-original-url, x-waws-unencoded-url, x-arr-ssl',
      source: `${LEARN}/functions-bindings-http-webhook-trigger`,
      held: testsOf('tests/integration/same-responses.test.ts')(
        'what the platforms add counts for nothing: headers %s',
      ),
    },
    {
      kind: 'timing',
      what: 'a timer runs once at a time, counts from the end of a run, and makes up for none',
      source: `${LEARN}/functions-bindings-timer`,
      held: own('does not run twice at once, and goes on after a run that failed'),
    },
    {
      kind: 'timing',
      what: 'the Service Bus trigger gives one batch at a time and renews no lock of one',
      source: `${LEARN}/functions-bindings-service-bus-trigger`,
      held: own(
        'the lock of a batch is not renewed: what takes longer than it is delivered again, and at last dead-lettered',
      ),
    },
    {
      kind: 'timing',
      what: 'a request that takes longer than 230 s is cut off',
      source: `${LEARN}/functions-scale#timeout`,
      held: 'because every function of the product ends after ten (docs/limits.md)',
    },
    {
      kind: 'tier',
      what: 'the platform scales by the length of the queues, which it reads with the app’s identity',
      source: `${LEARN}/functions-bindings-service-bus-trigger#scaling`,
      held: 'because one process is all there is; the right is asked for by `npm run tandem -- first-check` (queue.count)',
    },
    {
      kind: 'tier',
      what: 'the programming model is the one that Microsoft’s library loads',
      source: 'https://github.com/Azure/azure-functions-nodejs-library',
      held: own('a function sees method, address, query, route parameters and body'),
    },
  ],
};
