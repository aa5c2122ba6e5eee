/** Generic records: `POST /write` creates or replaces; below `/items` they are listed, read and deleted. */
import { idOf } from '@tandem-clouds/replication/record';
import { fetchClient } from '../shared/adapters/fetch-client.ts';
import { ITEM } from '../shared/domain/item.ts';
import { type ItemInput, ItemService } from '../shared/domain/item-service.ts';
import { InvalidError } from '../shared/errors.ts';
import { itemWrite } from '../shared/generated/validators.js';
import { forCallers } from '../shared/http/authentication.ts';
import { isNotModified, isOnlyIfAbsent } from '../shared/http/conditional.ts';
import { checkedId, listReply, removalReply, writeOptions } from '../shared/http/entity-routes.ts';
import { keyedRequest, replayedHeader } from '../shared/http/idempotency.ts';
import { withDurability } from '../shared/http/prefer.ts';
import { recordHeaders } from '../shared/http/record-headers.ts';
import type { HttpRequest, Route } from '../shared/http/route.ts';
import { seenStates } from '../shared/http/session.ts';
import { openLimits, openReplica, openRuntime, serve } from '../shared/runtime.ts';

const runtime = openRuntime();
const items = new ItemService(openReplica(runtime));

/** `If-None-Match: *` refuses to replace; no other value has a meaning on a write of a whole record. */
function onlyIfAbsent({ headers }: HttpRequest): boolean {
  const only = isOnlyIfAbsent(headers['if-none-match']) ?? false;
  if (only || headers['if-none-match'] === undefined) return only;
  throw new InvalidError('the headers are invalid', [
    { pointer: '/headers/if-none-match', rule: 'if-none-match', detail: 'must be "*" on a write' },
  ]);
}

const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/write',
    body: itemWrite,
    async handle(request) {
      const written = await items.write(request.body as ItemInput, {
        ...writeOptions(request),
        onlyIfAbsent: onlyIfAbsent(request),
        request: keyedRequest(ITEM, request),
      });
      const { record, created, replayed } = written;
      const location = `/items/${idOf(record.key)}`;
      const reply = {
        status: created ? 201 : 200,
        body: items.view(record),
        headers: { ...recordHeaders(record), location, ...replayedHeader(replayed) },
      };
      return withDurability(request, reply, () => items.isAccepted(written));
    },
  },
  { method: 'GET', path: '/items', handle: (request) => listReply('/items', request, items) },
  {
    method: 'DELETE',
    path: '/items/{id}',
    handle: (request) => removalReply(request, checkedId(request.params['id'], ITEM), items),
  },
  {
    method: 'GET',
    path: '/items/{id}',
    async handle(request) {
      const record = await items.read(checkedId(request.params['id'], ITEM), seenStates(request));
      return isNotModified(request.headers['if-none-match'], record.state)
        ? { status: 304, headers: recordHeaders(record) }
        : { status: 200, body: items.view(record), headers: recordHeaders(record) };
    },
  },
];

export const handler = serve(runtime, forCallers(runtime.config, fetchClient, routes, openLimits(runtime)));
