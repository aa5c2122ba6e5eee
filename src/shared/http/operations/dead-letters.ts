/** Dead letters: why they are there, one in full, and what becomes of them. */
import { parseEvent } from '@tandem-clouds/replication/event';
import { messageText } from '@tandem-clouds/replication/message';
import { eventDepthMax } from '../../bounds.ts';
import { deadLetterDiscard, deadLetterReplay } from '../../generated/validators.js';
import type { DeadLetterService, Selection, Settled } from '../../operations/dead-letter-service.ts';
import { checkEvent } from '../../validation/check-event.ts';
import type { HttpReply, Route } from '../route.ts';

interface Request extends Selection {
  readonly dryRun?: boolean;
  readonly event?: object;
}

/** List, show, replay, discard. */
export function deadLetterRoutes(service: DeadLetterService): Route[] {
  return [
    {
      method: 'GET',
      path: '/replication/dead-letters',
      handle: async () => ok({ now: new Date().toISOString(), ...(await service.causes()) }),
    },
    {
      method: 'GET',
      path: '/replication/dead-letters/{id}',
      async handle({ params }) {
        const { atMs, ...message } = await service.show(params['id'] ?? '');
        return ok({ ...message, at: new Date(atMs).toISOString() });
      },
    },
    {
      method: 'POST',
      path: '/replication/dead-letters/replay',
      body: deadLetterReplay,
      depthMax: eventDepthMax,
      async handle({ body }) {
        const { dryRun = false, event, ...selected } = body as Request;
        const edited = editedBody(event);
        return settled(dryRun, await (dryRun ? service.preview(selected) : service.replay(selected, edited)));
      },
    },
    {
      method: 'POST',
      path: '/replication/dead-letters/discard',
      body: deadLetterDiscard,
      async handle({ body }) {
        const { dryRun = false, ...selected } = body as Request;
        return settled(dryRun, await (dryRun ? service.preview(selected) : service.discard(selected)));
      },
    },
  ];
}

/** @throws MalformedError when it is no event */
function editedBody(event: object | undefined): string | undefined {
  if (event === undefined) return undefined;
  const body = messageText(event);
  parseEvent(body, checkEvent);
  return body;
}

function settled(dryRun: boolean, report: Settled): HttpReply {
  return ok({ dryRun, ...report });
}

function ok(body: object): HttpReply {
  return { status: 200, body, headers: { 'cache-control': 'no-store' } };
}
