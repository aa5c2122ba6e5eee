/** What the Logs Ingestion API publishes, and the tests that hold the emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const MONITOR = 'https://learn.microsoft.com/azure/azure-monitor';
const OVERVIEW = `${MONITOR}/logs/logs-ingestion-api-overview`;
const LIMITS = `${MONITOR}/fundamentals/service-limits#logs-ingestion-api`;
const own = testsOf('tests/unit/adapters/logging/central-logs.test.ts');
const answered = (row: string): ReturnType<typeof own> => own('answers a call %s as the service does', row);

export const logsIngestionFacts: EmulatorFacts = {
  id: 'logs-ingestion',
  title: 'Azure Monitor (Logs Ingestion API)',
  folder: 'packages/emulators/src/logs-ingestion',
  facts: [
    {
      kind: 'limit',
      what: 'a call has 1 MB at most',
      source: LIMITS,
      held: answered('of more than a megabyte'),
    },
    {
      kind: 'limit',
      what: 'a rule takes 12,000 calls a minute; beyond that 429 says after how long to come again',
      source: LIMITS,
      held: own(
        'keeps what is throttled, leaves the endpoint alone for as long as it says, and says so once',
      ),
    },
    {
      kind: 'limit',
      what: 'a rule takes 2 GB a minute',
      source: LIMITS,
      held: 'because no test sends so much, and it is answered as too many calls are',
    },
    {
      kind: 'validation',
      what: 'a body is a JSON array of objects',
      source: OVERVIEW,
      held: answered('that is no array'),
    },
    {
      kind: 'validation',
      what: 'a stream is one that the rule declares',
      source: OVERVIEW,
      held: answered('to no stream of the rule'),
    },
    {
      kind: 'validation',
      what: 'a column that the stream does not declare is dropped, as is a value of another type',
      source: `${MONITOR}/essentials/data-collection-rule-structure`,
      held: own('drops a column that is not declared and a value of another type, and dates what is too old'),
    },
    {
      kind: 'error',
      what: 'an identity without the role on the rule gets 403',
      source: `${MONITOR}/logs/tutorial-logs-ingestion-portal#troubleshooting`,
      held: answered('by who may not'),
    },
    {
      kind: 'error',
      what: 'a rule that is not there is 404',
      source: `${MONITOR}/logs/tutorial-logs-ingestion-portal#troubleshooting`,
      held: answered('to no rule'),
    },
    {
      kind: 'shape',
      what: 'what was taken is answered with 204 and nothing else',
      source: OVERVIEW,
      held: answered('in order'),
    },
    {
      kind: 'timing',
      what: 'rows are found some minutes after they were taken',
      source: `${MONITOR}/logs/data-ingestion-time`,
      held: 'because nothing in the product reads them back',
    },
  ],
};
