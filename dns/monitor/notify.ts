/**
 * Tells people, by webhooks. A notification says which incident it is about, so that a tool that hears of it twice, from
 * two monitors or by a repetition, shows it once.
 */
import { TrafficError } from '../errors.ts';
import type { Clock } from '../provider.ts';
import type { EscalateAction, NotifyAction } from './runbook.ts';

/** Where a name of `notify: to` leads. Secrets. */
export interface Webhook {
  readonly url: string;
  /** Of PagerDuty's Events API v2: the integration key. */
  readonly routingKey?: string;
}

export interface Notice {
  /** `stuck`: a trigger has fired, and the monitor cannot act. `unacknowledged`: nobody has taken it on in time. */
  readonly event: 'opened' | 'over' | 'stuck' | 'unacknowledged';
  readonly zone: string;
  readonly runbook: string;
  readonly site: string;
  readonly text: string;
  readonly details: readonly string[];
  /** RFC 3339. */
  readonly at: string;
  /** The same for all that is said of one runbook and site. */
  readonly dedupKey: string;
}

type Notify = EscalateAction | NotifyAction;

const TRIES_MAX = 3;
const PAUSE_FIRST_MS = 500;
const ANSWER_WITHIN_MS = 5_000;
/** The Events API takes summaries up to here: https://developer.pagerduty.com/docs/send-alert-event. */
const SUMMARY_CHARS_MAX = 1_024;

/** @throws TrafficError that says why nobody was told; never with the URL, which is a secret. */
export async function send(
  action: Notify,
  notice: Notice,
  { webhook, clock }: { readonly webhook: Webhook; readonly clock: Clock },
): Promise<void> {
  const body = JSON.stringify(
    action.format === 'pagerduty' ? pageOf(action, notice, webhook) : genericOf(notice),
  );
  for (let tries = 1; ; tries += 1) {
    const problem = await post(webhook.url, body);
    if (problem === undefined) return;
    if (tries === TRIES_MAX || !problem.passing) {
      throw new TrafficError(`the webhook '${action.to}' ${problem.what}`);
    }
    await clock.sleep(PAUSE_FIRST_MS * 2 ** (tries - 1));
  }
}

/** `text` is what the incoming webhooks of chat tools show (https://api.slack.com/messaging/webhooks). */
function genericOf({ details, ...notice }: Notice): object {
  return { ...notice, text: [notice.text, ...details.map((line) => `• ${line}`)].join('\n'), details };
}

/** https://developer.pagerduty.com/docs/send-alert-event */
function pageOf({ severity = 'critical' }: Notify, notice: Notice, { routingKey }: Webhook): object {
  const { event, zone, runbook, site, text, details, at, dedupKey } = notice;
  return {
    routing_key: routingKey,
    event_action: event === 'over' ? 'resolve' : 'trigger',
    dedup_key: dedupKey,
    payload: {
      summary: text.slice(0, SUMMARY_CHARS_MAX),
      source: site,
      severity,
      timestamp: at,
      component: zone,
      class: runbook,
      custom_details: { details },
    },
  };
}

interface Problem {
  readonly what: string;
  readonly passing: boolean;
}

async function post(url: string, body: string): Promise<Problem | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    return { what: `answers ${response.status}`, passing: response.status === 429 || response.status >= 500 };
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } };
    const why = name === 'TimeoutError' ? `within ${ANSWER_WITHIN_MS / 1000} s` : (cause?.code ?? 'at all');
    return { what: `does not answer (${why})`, passing: true };
  }
}
