/**
 * The monitor as a timer function, the same in both clouds: one round, as `npm run tandem -- monitor --once`. A function
 * remembers nothing for certain: what has to last is in the zone, and what an instance still remembers saves time only.
 *
 * The policy and the runbooks are those of the repository at the time of packaging; settings.ts says what the
 * environment may hold. For Route 53 the AWS SDK finds its credentials itself: the role on Lambda; elsewhere a web
 * identity (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE), or whatever else is in its default chain.
 */
import { systemClock } from '../clock.ts';
import { probeOverHttp } from '../plan/safety.ts';
import policyText from '../policy.yml';
import { parsePolicy } from '../policy/read-policy.ts';
import { chooseProvider } from '../providers/choose.ts';
import awsLost from '../runbooks/aws-lost.yml';
import azureLost from '../runbooks/azure-lost.yml';
import partialDegradation from '../runbooks/partial-degradation.yml';
import replicationLags from '../runbooks/replication-lags.yml';
import { observeOverHttp } from '../shift/observe.ts';
import { openScalers } from './capacity/places.ts';
import { noIncidentFiles } from './incident-file.ts';
import { Monitor } from './monitor.ts';
import { parseRunbooks } from './runbook.ts';
import { readSettings } from './settings.ts';

/** The timer's period is a minute. */
const ROUND_MS = 50_000;
/** A move in gated steps ends with the step that it is at, and the next run goes on. */
const STOP_AFTER_MS = 240_000;
/** Of two runs in a row one may be missing. */
const GAP_MS = 150_000;

const TEXTS = [
  { file: 'aws-lost.yml', text: awsLost },
  { file: 'azure-lost.yml', text: azureLost },
  { file: 'partial-degradation.yml', text: partialDegradation },
  { file: 'replication-lags.yml', text: replicationLags },
];

const settings = readSettings();
const policy = parsePolicy(policyText, 'dns/policy.yml');
const runbooks = parseRunbooks(TEXTS, policy);
const clock = systemClock;
const provider = chooseProvider(policy, { clock, ...settings });
/** Replaced for every run; the monitor lives as long as the instance. */
let stop = new AbortController().signal;

const report = (text: string): void => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), message: 'monitor', text })}\n`);
};

const monitor = Promise.all([provider, openScalers(settings.capacity, clock)]).then(([chosen, scalers]) => {
  const { webhooks, operatorKey, owner, intervalMs } = settings;
  const monitorContext = {
    policy,
    provider: chosen,
    clock,
    observe: observeOverHttp,
    probe: probeOverHttp,
    report,
    get signal() {
      return stop;
    },
    owner,
    webhooks,
    operatorKey,
    incidents: noIncidentFiles,
    scalers,
  };
  return new Monitor({ monitorContext, runbooks, intervalMs, gapMs: GAP_MS });
});

/** @throws Error when the zone could not be read, so that the function's errors count it. */
export async function handler(): Promise<void> {
  stop = AbortSignal.timeout(STOP_AFTER_MS);
  if (!(await (await monitor).round(ROUND_MS))) throw new Error('the zone could not be read');
}
