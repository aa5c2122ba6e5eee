/**
 * Probes of the ways to the peers, step by step: a token of this site's own, its exchange for an identity of the peer's
 * cloud, and a message to each of the peer's queues. With `open-peers.ts` where both clouds' SDKs meet.
 */
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { PeerConfig } from '../../config/config.ts';
import { NotCheckedError, type Probe, type ProbeGroup } from '../../ports/probe.ts';
import { assumeRole, webIdentityToken } from '../aws/credential.ts';
import { exchangeToken, ownToken, SERVICE_BUS_SCOPE, TOKEN_EXCHANGE_AUDIENCE } from '../azure/credential.ts';
import { tlsProbe } from '../negotiated-tls.ts';
import { probeMessage } from '../probe-message.ts';
import { openPeers } from './open-peers.ts';

interface Options {
  readonly site: string;
  readonly cloud: 'aws' | 'azure';
  readonly peers: readonly PeerConfig[];
}

export function peerProbes({ site, cloud, peers }: Options): readonly ProbeGroup[] {
  const inboxes = openPeers(peers);
  const verifiers = openPeers(peers, { queue: 'verify' });
  return peers.map((peer) => [
    ...(peer.cloud === cloud ? [] : federationProbes(peer)),
    sendProbe('peer.send', `${peer.site} ${nameOf(peer.inbox)}`, site, inboxes.get(peer.site)),
    // In a region of the same cloud another role than that of operations sends there (infra/aws/peers.cjs).
    ...(peer.cloud === cloud && cloud === 'aws'
      ? []
      : [sendProbe('peer.send', `${peer.site} ${nameOf(peer.verify)}`, site, verifiers.get(peer.site))]),
    tlsProbe(`${peer.site} API`, peer.url),
    tlsProbe(`${peer.site} queues`, queueAddressOf(peer)),
  ]);
}

/** The two steps of a sign-in, each by itself, so that the one that fails is known. */
function federationProbes(peer: PeerConfig): readonly Probe[] {
  let token: string | undefined;
  const step = (id: string, run: () => Promise<string>): Probe => ({ id, subject: peer.site, run });
  if (peer.cloud === 'azure') {
    const { tenantId, clientId } = peer;
    return [
      step('federation.token', async () => {
        // Without an identity there, too: whether AWS signs tokens is to be known before the peer is deployed.
        if (peer.connectionString !== undefined) throw new NotCheckedError('by connection string');
        token = await webIdentityToken(TOKEN_EXCHANGE_AUDIENCE);
        return `a token for ${TOKEN_EXCHANGE_AUDIENCE}`;
      }),
      step('federation.exchange', async () => {
        if (tenantId === undefined || clientId === undefined)
          throw new NotCheckedError('the peer names no tenantId and clientId yet');
        if (token === undefined) throw new NotCheckedError('there is no token to exchange');
        await exchangeToken({ tenantId, clientId, assertion: token, scope: SERVICE_BUS_SCOPE });
        return `a token of Entra as ${clientId}`;
      }),
    ];
  }
  const { roleArn, audience, region } = peer;
  return [
    step('federation.token', async () => {
      if (audience === undefined) throw new NotCheckedError('the peer names no audience yet');
      token = await ownToken(audience);
      return `a token for ${audience}`;
    }),
    step('federation.exchange', async () => {
      if (roleArn === undefined) throw new NotCheckedError('the peer names no roleArn yet');
      if (token === undefined) throw new NotCheckedError('there is no token to exchange');
      await assumeRole({ roleArn, region, token });
      return `credentials of ${roleArn}`;
    }),
  ];
}

/** Sends one message that its receiver drops. */
export function sendProbe(id: string, subject: string, site: string, queue: QueueSender | undefined): Probe {
  return {
    id,
    subject,
    run: async () => {
      if (queue === undefined) throw new NotCheckedError('there is no such queue');
      const [result] = await queue.send([probeMessage(site)]);
      if (result !== undefined) throw result;
      return 'accepted';
    },
  };
}

function queueAddressOf(peer: PeerConfig): string {
  if (peer.cloud === 'aws') return peer.endpoint ?? new URL(peer.inbox).origin;
  return busAddress(peer.namespace, peer.connectionString);
}

/** Where a namespace is spoken to; that of a connection string has TLS unless it is an emulator's. */
export function busAddress(namespace: string | undefined, connectionString = ''): string {
  if (namespace !== undefined) return `amqps://${namespace}`;
  const host = /Endpoint=sb:\/\/([^/;]+)/i.exec(connectionString)?.[1] ?? 'unknown';
  return `${/UseDevelopmentEmulator=true/i.test(connectionString) ? 'amqp' : 'amqps'}://${host}`;
}

/** The name of a queue, also of one that is known by its URL. */
function nameOf(queue: string): string {
  return queue.split('/').at(-1) ?? queue;
}
