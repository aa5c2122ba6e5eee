/** The only place of the monitor that reads the environment. Every mistake is named at once, and no secret is ever shown. */
import { hostname } from 'node:os';
import { readDecimal } from '@tandem-clouds/command-line/numbers';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { type CapacityPlace, placesOf } from './capacity/places.ts';
import { entriesOf } from './json-object.ts';
import type { Webhook } from './notify.ts';

export interface Settings {
  /** Whom the zone's lock and the screen name. */
  readonly owner: string;
  readonly operatorKey: string | undefined;
  readonly cloudflareToken: string | undefined;
  readonly localControlUrl: string | undefined;
  readonly webhooks: ReadonlyMap<string, Webhook>;
  readonly intervalMs: number;
  /** Sites whose capacity this monitor may change. */
  readonly capacity: ReadonlyMap<string, CapacityPlace>;
}

const INTERVAL_SECONDS = 5;
/** Short enough for tests; sites are not asked more often than ten times a second. */
const INTERVAL_SECONDS_MIN = 0.1;
const INTERVAL_SECONDS_MAX = 3_600;

export const SETTINGS_HELP = `Environment
  TANDEM_WEBHOOKS                     {"chat":{"url":"https://…"},"paging":{"url":"https://…","routingKey":"…"}}
  TANDEM_OPERATOR_KEY                 of the sites' operator API, for pauses of replication
  TANDEM_CAPACITY                     where raiseCapacity raises what, by site (docs/alerting.md)
  TANDEM_MONITOR_NAME                 what the zone's lock calls this monitor     (monitor-at-<host>)
  TANDEM_MONITOR_INTERVAL_SECONDS     from look to look                           (${INTERVAL_SECONDS})
  CLOUDFLARE_API_TOKEN, or whatever the AWS SDK finds for Route 53, or TANDEM_DNS_CONTROL for the local server
`;

/** @throws UsageError naming every variable that is wrong. */
export function readSettings(env: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const mistakes: string[] = [];
  const webhooks = webhooksOf(env['TANDEM_WEBHOOKS'], mistakes);
  const capacity = placesOf(given(env['TANDEM_CAPACITY']), mistakes);
  const seconds = secondsOf(given(env['TANDEM_MONITOR_INTERVAL_SECONDS']), mistakes);
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return {
    owner: (env['TANDEM_MONITOR_NAME'] ?? `monitor-at-${hostname()}`)
      .replace(/[^A-Za-z0-9-]+/g, '-')
      .slice(0, 50),
    operatorKey: given(env['TANDEM_OPERATOR_KEY']),
    cloudflareToken: given(env['CLOUDFLARE_API_TOKEN']),
    localControlUrl: given(env['TANDEM_DNS_CONTROL']),
    webhooks,
    intervalMs: seconds * 1000,
    capacity,
  };
}

function secondsOf(text: string | undefined, mistakes: string[]): number {
  if (text === undefined) return INTERVAL_SECONDS;
  try {
    const name = 'TANDEM_MONITOR_INTERVAL_SECONDS';
    return readDecimal(text, { name, min: INTERVAL_SECONDS_MIN, max: INTERVAL_SECONDS_MAX });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    mistakes.push(error.message);
    return INTERVAL_SECONDS;
  }
}

/** A deployment sets what it has nothing for to an empty text. */
function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function webhooksOf(text: string | undefined, mistakes: string[]): ReadonlyMap<string, Webhook> {
  return new Map(
    entriesOf(text, { name: 'TANDEM_WEBHOOKS', of: 'names' }, mistakes).flatMap(
      ([name, webhook]): [string, Webhook][] => {
        if (isWebhook(webhook)) return [[name, webhook]];
        mistakes.push(`TANDEM_WEBHOOKS: ${name} needs a url, and may have a routingKey`);
        return [];
      },
    ),
  );
}

function isWebhook(value: unknown): value is Webhook {
  if (typeof value !== 'object' || value === null) return false;
  const { url, routingKey } = value as Record<string, unknown>;
  const isText = routingKey === undefined || typeof routingKey === 'string';
  return typeof url === 'string' && /^https?:$/.test(URL.parse(url)?.protocol ?? '') && isText;
}
