/** Pauses: which peers this site does not send to, on an operator's word. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { own } from '@tandem-clouds/replication/own';
import { type PausedPeers, pausedPeers, pauseKey, setPaused } from '@tandem-clouds/replication/paused-peers';
import type { Site } from '@tandem-clouds/replication/protocol';
import { sweep } from '@tandem-clouds/replication/sweep';
import { resumeKeysMax, resumeRunMs } from '../../bounds.ts';
import { NotFoundError } from '../../errors.ts';
import type { HttpRequest, Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };

/** List, pause, resume. */
export function pauseRoutes(site: Site, resources: Resources): Route[] {
  const peerOf = ({ params }: HttpRequest): string => {
    const peer = params['peer'] ?? '';
    if (!site.peers.includes(peer)) {
      throw new NotFoundError(`${peer} is not a peer of ${site.site}; its peers: ${site.peers.join(', ')}`);
    }
    return peer;
  };
  const viewOf = (peer: string, paused: PausedPeers): object => {
    const sinceMs = own(paused, peer);
    return {
      peer,
      paused: sinceMs !== undefined,
      ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
    };
  };
  return [
    {
      method: 'GET',
      path: '/replication/pauses',
      async handle() {
        const paused = pausedPeers((await resources.store.get(pauseKey(site.site)))?.record);
        const pauses = site.peers.map((peer) => viewOf(peer, paused));
        return { status: 200, body: { site: site.site, pauses }, headers };
      },
    },
    {
      method: 'PUT',
      path: '/replication/pauses/{peer}',
      async handle(request) {
        const peer = peerOf(request);
        const paused = await drive(setPaused(site, peer, true), resources);
        return { status: 200, body: viewOf(peer, paused), headers };
      },
    },
    {
      method: 'DELETE',
      path: '/replication/pauses/{peer}',
      async handle(request) {
        const peer = peerOf(request);
        const paused = await drive(setPaused(site, peer, false), resources);
        // The bridge learns of it within `pauseCacheMs`; what has gathered is sent now.
        const only: Site = { ...site, peers: [peer] };
        const { resent, silent, throttling, resume } = await drive(
          sweep(only, { graceMs: 0, keysMax: resumeKeysMax, runMs: resumeRunMs }),
          resources,
        );
        const problem = own(silent, peer) ?? own(throttling, peer);
        const sent = {
          keys: resent,
          complete: resume === undefined && problem === undefined,
          ...(problem !== undefined && { problem }),
        };
        return { status: 200, body: { ...viewOf(peer, paused), sent }, headers };
      },
    },
  ];
}
