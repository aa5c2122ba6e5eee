/** How the services of the clouds are called in the semantic conventions. */
import type { CloudNames } from '../../ports/tracing.ts';

/**
 * @see https://opentelemetry.io/docs/specs/semconv/resource/cloud/
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/messaging/
 */
export const cloudNames: Readonly<Record<'aws' | 'azure', CloudNames>> = {
  aws: { provider: 'aws', platform: 'aws_lambda', store: 'aws.dynamodb', queues: 'aws_sqs' },
  azure: { provider: 'azure', platform: 'azure.functions', store: 'azure.cosmosdb', queues: 'servicebus' },
};
