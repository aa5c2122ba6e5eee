/** What the emulators of a site are given for a fault: the services' own errors, which the product must understand. */
import type { FaultRule } from '@tandem-clouds/emulators/core/faults';
import type { Cloud } from '../stack/sites.ts';
import type { FaultOrder } from './fault-order.ts';

export interface ServiceRules {
  readonly store: readonly FaultRule[];
  readonly queue: readonly FaultRule[];
}

/** DynamoDB and SQS, Cosmos DB and Service Bus. A store that names no code throttles, each in its own way. */
const CODES = {
  throttle: { aws: { queue: 'ThrottlingException' }, azure: { queue: 'com.microsoft:server-busy' } },
  errors: {
    aws: { store: 'InternalServerError', queue: 'InternalFailure' },
    azure: { store: '503', queue: 'amqp:internal-error' },
  },
} as const;

/** Undefined: it is nothing that emulators do. */
export function rulesOf(order: FaultOrder, cloud: Cloud): ServiceRules | undefined {
  switch (order.kind) {
    case 'slow': {
      const rules: FaultRule[] = [{ kind: 'latency', latencyMs: order.ms }];
      return { store: rules, queue: rules };
    }
    case 'throttle':
      return { store: [{ kind: 'error' }], queue: [{ kind: 'error', code: CODES.throttle[cloud].queue }] };
    case 'errors': {
      const { store, queue } = CODES.errors[cloud];
      return { store: [{ kind: 'error', code: store }], queue: [{ kind: 'error', code: queue }] };
    }
    case 'stop':
    case 'freeze':
    case 'partition':
      return undefined;
  }
}
