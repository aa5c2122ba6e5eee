/**
 * How many messages Service Bus queues hold, from Azure Resource Manager: one call per queue, which counts its dead-letter
 * sub-queue as well. The broker's own interface for it wants the right to manage the queue; reading the queue as a resource
 * is part of the roles that send and receive (docs/decisions/0072-queue-depths-from-resource-manager.md).
 * @see https://learn.microsoft.com/rest/api/servicebus/controlplane-stable/queues/get
 * @see https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/integration
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { resourceManagerBytesMax, resourceManagerTimeoutMs } from '../../bounds.ts';
import type { QueueDepth, QueueDepths } from '../../ports/dead-letter-box.ts';
import type { HttpClient } from '../../ports/http-client.ts';

const API_VERSION = '2024-01-01';

export interface ResourceManagerAccess {
  /** Origin of Resource Manager. */
  readonly endpoint: string;
  /** Resource id of the namespace: `/subscriptions/…/namespaces/…`. */
  readonly namespaceId: string;
  readonly http: HttpClient;
  /** A token for the endpoint. @throws what the identity has thrown */
  readonly token: () => Promise<string>;
}

interface Counts {
  /** In the queue itself, scheduled ones included. */
  readonly held: number;
  readonly deadLetters: number;
}

/** @throws UnavailableError */
export async function measureServiceBus(
  access: ResourceManagerAccess,
  queues: Readonly<Record<keyof QueueDepths | 'verify' | 'react' | 'objects', string>>,
): Promise<QueueDepths> {
  const token = await access.token().catch((cause: unknown) => {
    throw new UnavailableError('no token for Azure Resource Manager', { cause });
  });
  const names = [queues.out, queues.in, queues.dead, queues.verify, queues.react, queues.objects];
  const counts = await Promise.all(names.map((name) => countsOf(access, token, name)));
  const [out, inbound, dead] = counts.map(({ held }) => held);
  const deadLetters = counts.reduce((sum, one) => sum + one.deadLetters, 0);
  return { out: exactly(out ?? 0), in: exactly(inbound ?? 0), dead: exactly((dead ?? 0) + deadLetters) };
}

const exactly = (messages: number): QueueDepth => ({ messages, atLeast: false });

async function countsOf(
  { endpoint, namespaceId, http }: ResourceManagerAccess,
  token: string,
  queue: string,
): Promise<Counts> {
  const { status, body } = await http({
    method: 'GET',
    url: new URL(`${namespaceId}/queues/${encodeURIComponent(queue)}?api-version=${API_VERSION}`, endpoint),
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    timeoutMs: resourceManagerTimeoutMs,
    bodyBytesMax: resourceManagerBytesMax,
  });
  if (status !== 200) throw new UnavailableError(`Resource Manager, queue ${queue}: ${status}: ${body}`);
  const details = detailsIn(body);
  const count = (name: string): number => {
    const value = details[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new UnavailableError(`Resource Manager, queue ${queue}: no ${name} in its answer`);
  };
  return {
    held: count('activeMessageCount') + count('scheduledMessageCount'),
    deadLetters: count('deadLetterMessageCount'),
  };
}

/** Empty when the answer is not what it should be. */
function detailsIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const { properties } = JSON.parse(body) as {
      properties?: { countDetails?: Record<string, unknown> };
    };
    return properties?.countDetails ?? {};
  } catch {
    return {};
  }
}
