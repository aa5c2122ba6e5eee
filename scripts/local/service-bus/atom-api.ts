/**
 * The management API of a namespace: `GET /<queue>` answers with its settings and its counts, as an Atom entry. Azure
 * serves it at port 443 of the same host; here it shares the port of AMQP.
 *
 * Only reading: queues come from the template. It takes the credits of a management operation. Who asks is not checked
 * (the service wants the claim Manage on the queue); rights are what the fault hook `readRuntime` is for.
 *
 * @see https://learn.microsoft.com/rest/api/servicebus/get-entity
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Faults } from '../faults.ts';
import { MANAGEMENT_CREDITS, type Credits } from './credits.ts';
import { BrokerError } from './errors.ts';
import type { QueueRegistry } from './queue-registry.ts';
import type { Queue } from './queue.ts';

export interface AtomContext {
  readonly faults: Faults;
  readonly credits: Credits;
  readonly registry: QueueRegistry;
}

const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const COUNTS = 'http://schemas.microsoft.com/netservices/2011/06/servicebus';
const NEVER_MS = 10_675_199 * 24 * 3_600_000;

/** A server that listens nowhere: connections are given to it. */
export function atomServer(context: AtomContext): Server {
  return createServer((request, response) => {
    try {
      answer(request, response, context);
    } catch (error) {
      const status = error instanceof BrokerError ? error.status : 500;
      fail(response, status, error instanceof Error ? error.message : String(error));
    }
  });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { faults, credits, registry }: AtomContext,
): void {
  const { pathname } = new URL(request.url ?? '/', 'http://local');
  if (request.method !== 'GET') {
    fail(response, 405, `${request.method ?? ''} is not imitated: queues come from the template`);
    return;
  }
  credits.spend(MANAGEMENT_CREDITS);
  const name = decodeURIComponent(pathname.slice(1));
  const { error } = faults.hit('readRuntime', name);
  if (error !== undefined) {
    const denied = error.code === 'amqp:unauthorized-access';
    fail(
      response,
      denied ? 401 : 503,
      denied ? 'Manage,EntityRead claims required for this operation.' : 'Busy',
    );
    return;
  }
  registry.tick();
  const queue = registry.find({ kind: 'queue', name, deadLetters: false });
  // The service answers 200 with an empty feed when there is no such entity.
  const body =
    queue === undefined
      ? '<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Publicly Listed Services</title></feed>'
      : entryOf(queue);
  response.writeHead(200, { 'content-type': 'application/atom+xml;type=entry;charset=utf-8' }).end(body);
}

function fail(response: ServerResponse, status: number, detail: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml; charset=utf-8' })
    .end(`<Error><Code>${status}</Code><Detail>${escaped(detail)}</Detail></Error>`);
}

function entryOf(queue: Queue): string {
  const { settings, counts } = queue;
  const now = new Date(0).toISOString();
  const details = {
    ActiveMessageCount: counts.active + counts.deferred,
    DeadLetterMessageCount: counts.deadLetter,
    ScheduledMessageCount: counts.scheduled,
    TransferMessageCount: 0,
    TransferDeadLetterMessageCount: 0,
  };
  const fields = {
    LockDuration: duration(settings.lockDurationMs),
    MaxSizeInMegabytes: settings.maxSizeBytes / (1024 * 1024),
    RequiresDuplicateDetection: settings.duplicateDetectionMs > 0,
    RequiresSession: settings.requiresSession,
    DefaultMessageTimeToLive: duration(settings.defaultTtlMs ?? NEVER_MS),
    DeadLetteringOnMessageExpiration: settings.deadLetterOnExpiry,
    DuplicateDetectionHistoryTimeWindow: duration(settings.duplicateDetectionMs || 600_000),
    MaxDeliveryCount: settings.maxDeliveryCount,
    EnableBatchedOperations: true,
    SizeInBytes: queue.sizeInBytes,
    MessageCount: counts.active + counts.deferred + counts.scheduled + counts.deadLetter,
    IsAnonymousAccessible: false,
    Status: 'Active',
    CreatedAt: now,
    UpdatedAt: now,
    AccessedAt: now,
    SupportOrdering: true,
  };
  return (
    `<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">${escaped(queue.name)}</title>` +
    `<content type="application/xml"><QueueDescription xmlns="${CONNECT}">${elements(fields)}` +
    `<CountDetails xmlns:d2p1="${COUNTS}">${elements(details, 'd2p1:')}</CountDetails>` +
    elements({ EnablePartitioning: false, EntityAvailabilityStatus: 'Available', EnableExpress: false }) +
    '</QueueDescription></content></entry>'
  );
}

function elements(fields: Readonly<Record<string, string | number | boolean>>, prefix = ''): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${prefix}${name}>${escaped(String(value))}</${prefix}${name}>`)
    .join('');
}

const escaped = (text: string): string =>
  text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);

const duration = (ms: number): string => `PT${ms / 1_000}S`;
