/**
 * The `$management` node of a queue and the `$cbs` node of the namespace: requests and answers over a pair of links.
 *
 * Operations and fields: Microsoft's "AMQP 1.0 in Azure Service Bus: request-response-based operations". An
 * answer carries an HTTP-like status; 204 means "nothing there". `$cbs` accepts every token: access is not what a
 * emulator tests.
 *
 * Fault rules: `renewLock` (message and session locks: `latency`; `error`, a lost lock unless the rule names a
 * code; `drop-ack`, renewed but the connection breaks), `send` for scheduling, `receive` for deferred messages, and
 * the settlement operations as on a link.
 */
import type { Connection, Receiver, Sender } from 'rhea';
import { type BrokerContext, conditionOf } from './broker-context.ts';
import { MESSAGE_CREDITS } from './credits.ts';
import { BrokerError, decodeError, injectedError, messageTooLarge } from './errors.ts';
import { newMessageId } from './ingress.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import type { Queue } from './queue.ts';
import type { Settlement } from './queue-types.ts';
import { addressOf, type Typed, types } from './rhea-internals.ts';
import type { Settlements } from './settlements.ts';

/** AMQP type codes of array elements. */
const LONG = 0x81;
const TIMESTAMP = 0x83;
/** `receiver-settle-mode` first: the message is gone once it is handed over. */
const SETTLE_FIRST = 0;
/** Most messages that one peek answers with; bounds the answer. */
const PEEK_MAX = 1000;

type Body = Readonly<Record<string, unknown>>;

/** A request as rhea decodes it. */
export interface ManagementRequest {
  readonly connection: Connection;
  readonly receiver: Receiver;
  readonly message: {
    readonly message_id?: unknown;
    readonly reply_to?: string;
    readonly application_properties?: Readonly<Record<string, unknown>>;
    readonly body?: unknown;
  };
}

interface Response {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body?: unknown;
}

type Handler = (queue: Queue, body: Body) => Response;

const ok = (body?: unknown): Response => ({ status: 200, description: 'OK', body });
const NOTHING: Response = { status: 204, description: 'No Content' };

/** A long arrives as a number, or as eight bytes. */
function toNumber(value: unknown): number {
  if (Buffer.isBuffer(value) && value.length === 8) return Number(value.readBigInt64BE());
  if (typeof value === 'number') return value;
  throw decodeError('The request lacks a number.');
}

function toList(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

const sequencesOf = (body: Body): number[] => toList(body['sequence-numbers']).map(toNumber);
const tokensOf = (body: Body): string[] =>
  toList(body['lock-tokens']).map((token) => Buffer.from(token as Buffer).toString('hex'));

function textOf(body: Body, field: string): string | undefined {
  const value = body[field];
  return typeof value === 'string' ? value : undefined;
}

function requiredText(body: Body, field: string): string {
  const value = textOf(body, field);
  if (value === undefined) throw decodeError(`The request lacks '${field}'.`);
  return value;
}

function settlementOf(body: Body): Settlement {
  const properties = (body['properties-to-modify'] ?? {}) as Body;
  const status = requiredText(body, 'disposition-status');
  switch (status) {
    case 'completed':
      return { kind: 'complete' };
    case 'abandoned':
      return { kind: 'abandon', properties };
    // Microsoft's spelling.
    case 'defered':
      return { kind: 'defer', properties };
    case 'suspended':
      return {
        kind: 'deadLetter',
        reason: textOf(body, 'deadletter-reason'),
        description: textOf(body, 'deadletter-description'),
        properties,
      };
    default:
      throw new BrokerError('amqp:not-implemented', `Disposition '${status}' is not known.`, 501);
  }
}

/** How many messages an answer carries, each of which takes credits; an answer without any takes those of one. */
function carriedBy({ body }: Response): number {
  const { messages } = (body ?? {}) as { messages?: unknown };
  return Math.max(1, toList(messages).length);
}

function peek(queue: Queue, body: Body): Response {
  const count = Math.min(toNumber(body['message-count']), PEEK_MAX);
  const found = queue.peek(toNumber(body['from-sequence-number']), count, textOf(body, 'session-id'));
  if (found.length === 0) return NOTHING;
  return ok({ messages: found.map((message) => ({ message: encodeMessage(message) })) });
}

function cancelScheduled(queue: Queue, body: Body): Response {
  queue.cancelScheduled(sequencesOf(body));
  return ok();
}

function receiveDeferred(queue: Queue, body: Body): Response {
  const locks = queue.receiveDeferred(sequencesOf(body), textOf(body, 'session-id'));
  const messages = locks.map(({ message, token, lockedUntil }) => ({
    message: encodeMessage(message, lockedUntil),
    'lock-token': types.wrap_uuid(Buffer.from(token, 'hex')),
  }));
  if (body['receiver-settle-mode'] === SETTLE_FIRST) {
    for (const { token } of locks) queue.settle(token, { kind: 'complete' });
  }
  return ok({ messages });
}

function renewLocks(queue: Queue, body: Body): Response {
  return ok({ expirations: types.wrap_array(queue.renew(tokensOf(body)), TIMESTAMP) });
}

function renewSession(queue: Queue, body: Body): Response {
  return ok({ expiration: types.wrap_timestamp(queue.renewSession(requiredText(body, 'session-id'))) });
}

function setSessionState(queue: Queue, body: Body): Response {
  const state = body['session-state'];
  queue.setSessionState(requiredText(body, 'session-id'), Buffer.isBuffer(state) ? state : undefined);
  return ok();
}

function getSessionState(queue: Queue, body: Body): Response {
  return ok({ 'session-state': queue.sessionState(requiredText(body, 'session-id')) ?? null });
}

function listSessions(queue: Queue, body: Body): Response {
  const skip = toNumber(body['skip'] ?? 0);
  const ids = queue.sessionIds().slice(skip, skip + toNumber(body['top'] ?? PEEK_MAX));
  return ids.length === 0 ? NOTHING : ok({ skip: types.wrap_int(skip + ids.length), 'sessions-ids': ids });
}

/** Operations, without the `com.microsoft:` before them, and the fault operation that each one is. */
const HANDLERS: Readonly<Record<string, { readonly faultAs?: string; readonly handle: Handler }>> = {
  'peek-message': { handle: peek },
  'cancel-scheduled-message': { handle: cancelScheduled },
  'receive-by-sequence-number': { faultAs: 'receive', handle: receiveDeferred },
  'renew-lock': { faultAs: 'renewLock', handle: renewLocks },
  'renew-session-lock': { faultAs: 'renewLock', handle: renewSession },
  'set-session-state': { handle: setSessionState },
  'get-session-state': { handle: getSessionState },
  'get-message-sessions': { handle: listSessions },
};

/** What an `error` rule without a code means to each operation. */
const DEFAULT_ERROR: Readonly<Record<string, string>> = {
  renewLock: 'com.microsoft:message-lock-lost',
  send: 'com.microsoft:server-busy',
  receive: 'com.microsoft:server-busy',
};

export class Management {
  readonly #context: BrokerContext;
  readonly #settlements: Settlements;
  readonly #maxMessageBytes: number;

  constructor(context: BrokerContext, settlements: Settlements, maxMessageBytes: number) {
    this.#context = context;
    this.#settlements = settlements;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Answers a token of the `$cbs` node (claims-based security). */
  acceptToken(request: ManagementRequest): void {
    this.#reply(request, { status: 202, description: 'Accepted' });
  }

  /** Answers a request about a queue. */
  handle(request: ManagementRequest, queue: Queue): void {
    const sent = request.message.application_properties?.['operation'];
    const operation = String(sent).replace('com.microsoft:', '');
    const body = (request.message.body ?? {}) as Body;
    if (operation === 'update-disposition') {
      this.#settle(request, queue, body);
      return;
    }
    const known = HANDLERS[operation];
    if (operation === 'schedule-message') this.#run(request, queue, body, 'send', this.#schedule);
    else if (known !== undefined) this.#run(request, queue, body, known.faultAs, known.handle);
    else {
      this.#reply(
        request,
        failure(new BrokerError('amqp:not-implemented', `'${operation}' is not known.`, 501)),
      );
    }
  }

  #run(
    request: ManagementRequest,
    queue: Queue,
    body: Body,
    faultAs: string | undefined,
    handle: Handler,
  ): void {
    // Receiving and peeking (`#schedule` counts for itself); renewing and settling are not in the list.
    const spends = faultAs === 'receive' || handle === peek;
    const fault = faultAs === undefined ? undefined : this.#context.faults.hit(faultAs, queue.name);
    this.#context.delays.after(fault?.latencyMs ?? 0, () => {
      let response: Response;
      try {
        if (fault?.error !== undefined) {
          throw injectedError(
            fault.error.code ?? DEFAULT_ERROR[faultAs ?? ''] ?? 'com.microsoft:server-busy',
          );
        }
        if (spends) this.#context.credits.spend(0);
        response = handle(queue, body);
        if (spends) this.#context.credits.take(carriedBy(response) * MESSAGE_CREDITS);
      } catch (error) {
        response = failure(conditionOf(error, this.#context));
      }
      if (fault?.dropAck === true) this.#context.cut(request.connection);
      else this.#reply(request, response);
    });
  }

  readonly #schedule: Handler = (queue, body) => {
    const drafts = toList(body['messages']).map((entry) => {
      const encoded = (entry as { message: Buffer }).message;
      if (encoded.length > this.#maxMessageBytes)
        throw messageTooLarge(encoded.length, this.#maxMessageBytes);
      return decodeMessage(encoded, newMessageId);
    });
    this.#context.credits.spend(drafts.length * MESSAGE_CREDITS);
    return ok({ 'sequence-numbers': types.wrap_array(queue.enqueue(drafts), LONG) });
  };

  /** Settles message by message; the first refusal is the answer. */
  #settle(request: ManagementRequest, queue: Queue, body: Body): void {
    const refuse = (error: unknown): void => this.#reply(request, failure(conditionOf(error, this.#context)));
    const settleFrom = (tokens: readonly string[], settlement: Settlement): void => {
      const [token, ...rest] = tokens;
      if (token === undefined) {
        this.#reply(request, ok());
        return;
      }
      this.#settlements.apply({ queue, token }, settlement, request.connection, (refusal) => {
        if (refusal === undefined) settleFrom(rest, settlement);
        else refuse(refusal);
      });
    };
    try {
      settleFrom(tokensOf(body), settlementOf(body));
    } catch (error) {
      refuse(error);
    }
  }

  #reply({ receiver, message }: ManagementRequest, response: Response): void {
    const link = receiver.session.find_sender(
      (candidate: Sender) =>
        addressOf(candidate, 'target') === message.reply_to || candidate.name === message.reply_to,
    );
    // Both spellings are in use, by different SDKs and by different nodes.
    const properties: Record<string, string | Typed> = {
      'status-code': types.wrap_int(response.status),
      statusCode: types.wrap_int(response.status),
      'status-description': response.description,
      statusDescription: response.description,
    };
    if (response.condition !== undefined) {
      properties['error-condition'] = types.wrap_symbol(response.condition);
      properties['errorCondition'] = types.wrap_symbol(response.condition);
    }
    link?.send({
      correlation_id: message.message_id as string,
      application_properties: properties,
      body: response.body ?? null,
    });
  }
}

function failure({ status, description, condition }: BrokerError): Response {
  return { status, description, condition };
}
