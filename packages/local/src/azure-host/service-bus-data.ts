/**
 * A batch of Service Bus messages in the worker's terms: the input and the trigger metadata that the host sends
 * for a function with cardinality `many`.
 *
 * Learned from the Service Bus extension 5.x (ServiceBusTriggerBindingStrategy) and the host's conversion to the
 * worker protocol (GrpcMessageConversionExtensions), and worth knowing:
 * - `dataType: string` gives text as it came. Without a data type the host parses JSON, and one malformed message
 *   fails the whole batch before the function sees it.
 * - In arrays of text, empty entries are left out: `contentTypeArray[i]` need not belong to message i. The arrays
 *   of message ids, delivery counts, sequence numbers, times and properties are complete.
 * - The delivery count begins at 1; AMQP's, and the SDK's, at 0.
 * - Sequence numbers are 64-bit; in an array they arrive as text.
 */
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { Binding } from './function-app.ts';
import type { TriggerMetadata, TypedData } from './programming-model.ts';

/** .NET's `DateTimeOffset.MaxValue`: the message never expires. */
const NEVER = '9999-12-31T23:59:59.9999999Z';

/**
 * The input of the function.
 * @throws SyntaxError without a data type, when a message is not JSON.
 */
export function toBatchInput(
  messages: readonly ServiceBusReceivedMessage[],
  dataType: Binding['dataType'],
): TypedData {
  switch (dataType) {
    case 'binary':
    case 'stream':
      return { collectionBytes: { bytes: messages.map(({ body }) => bytesOf(body)) } };
    case 'string':
      return texts(messages.map(({ body }) => textOf(body)));
    case undefined:
      return { json: JSON.stringify(messages.map(({ body }) => JSON.parse(textOf(body)) as unknown)) };
  }
}

/** The input of a function with cardinality `one`, the default. */
export function toSingleInput({ body }: ServiceBusReceivedMessage, dataType: Binding['dataType']): TypedData {
  return dataType === 'binary' || dataType === 'stream' ? { bytes: bytesOf(body) } : { string: textOf(body) };
}

/** What becomes `context.bindingData`, whose names begin in lower case. */
export function toBatchMetadata(messages: readonly ServiceBusReceivedMessage[]): TriggerMetadata {
  const properties = json(messages.map(({ applicationProperties }) => applicationProperties ?? {}));
  const subjects = texts(messages.map(({ subject }) => subject));
  return {
    DeliveryCountArray: json(messages.map(deliveryCount)),
    DeadLetterSourceArray: texts(messages.map(({ deadLetterSource }) => deadLetterSource)),
    LockTokenArray: texts(messages.map(({ lockToken }) => lockToken)),
    ExpiresAtUtcArray: json(messages.map(expiresAt)),
    EnqueuedTimeUtcArray: json(messages.map(({ enqueuedTimeUtc }) => enqueuedTimeUtc)),
    MessageIdArray: texts(messages.map(messageId)),
    ContentTypeArray: texts(messages.map(({ contentType }) => contentType)),
    ReplyToArray: texts(messages.map(({ replyTo }) => replyTo)),
    SequenceNumberArray: { collectionSint64: { sint64: messages.map(sequenceNumber) } },
    ToArray: texts(messages.map(({ to }) => to)),
    SubjectArray: subjects,
    LabelArray: subjects,
    CorrelationIdArray: texts(messages.map(({ correlationId }) => correlationId?.toString())),
    ApplicationPropertiesArray: properties,
    UserPropertiesArray: properties,
  };
}

/** The metadata of a single message. */
export function toSingleMetadata(message: ServiceBusReceivedMessage): TriggerMetadata {
  const optional = {
    DeadLetterSource: message.deadLetterSource,
    LockToken: message.lockToken,
    ContentType: message.contentType,
    ReplyTo: message.replyTo,
    To: message.to,
    Subject: message.subject,
    Label: message.subject,
    CorrelationId: message.correlationId?.toString(),
  };
  const properties = json(message.applicationProperties ?? {});
  return {
    ...Object.fromEntries(
      Object.entries(optional).flatMap(([name, string]) =>
        string === undefined ? [] : [[name, { string }]],
      ),
    ),
    DeliveryCount: json(deliveryCount(message)),
    ExpiresAtUtc: json(expiresAt(message)),
    EnqueuedTimeUtc: json(message.enqueuedTimeUtc),
    MessageId: { string: messageId(message) },
    SequenceNumber: { json: sequenceNumber(message) },
    ApplicationProperties: properties,
    UserProperties: properties,
  };
}

/** What messages carry in place of headers; only the first of a batch can name the trace of the invocation. */
export function traceparentOf([first]: readonly ServiceBusReceivedMessage[]): string | undefined {
  const properties = first?.applicationProperties;
  const value = properties?.['traceparent'] ?? properties?.['Diagnostic-Id'];
  return typeof value === 'string' ? value : undefined;
}

const deliveryCount = (message: ServiceBusReceivedMessage): number => (message.deliveryCount ?? 0) + 1;
const messageId = (message: ServiceBusReceivedMessage): string => String(message.messageId ?? '');
const sequenceNumber = (message: ServiceBusReceivedMessage): string => String(message.sequenceNumber ?? 0);
const expiresAt = ({ expiresAtUtc }: ServiceBusReceivedMessage): string => {
  // The SDK adds the time to live to the time of arrival, and for "never" leaves what a Date can hold.
  const ms = expiresAtUtc?.getTime() ?? Number.NaN;
  return Number.isNaN(ms) || ms > Date.parse(NEVER) ? NEVER : new Date(ms).toISOString();
};

const json = (value: unknown): TypedData => ({ json: JSON.stringify(value) });

const texts = (values: readonly (string | undefined)[]): TypedData => ({
  collectionString: {
    string: values.filter((value): value is string => value !== undefined && value !== ''),
  },
});

/** The receiver leaves data sections as bytes; other kinds of AMQP body arrive as values. */
function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : Buffer.from(textOf(body));
}

function textOf(body: unknown): string {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  return typeof body === 'string' ? body : JSON.stringify(body ?? null);
}
