/**
 * The message that a first check sends to a queue: whoever receives it completes it and does nothing else, so that
 * sending can be tried on every queue, a peer's included. A release that does not know it dead-letters it as malformed.
 */
import type { InboundMessage, OutboundMessage } from '@tandem-clouds/replication/ports/queue';

const ATTRIBUTE = 'probe';

export function probeMessage(site: string): OutboundMessage {
  return { id: 'probe', body: JSON.stringify({ probe: site }), attributes: { [ATTRIBUTE]: site } };
}

/** Who sent it; undefined for every other message. */
export function probeSender({ attributes, body }: InboundMessage): string | undefined {
  const site = attributes[ATTRIBUTE];
  // Both, so that no message with content is ever taken for a probe.
  return site !== undefined && body === probeMessage(site).body ? site : undefined;
}
