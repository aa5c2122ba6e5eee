/** What a fault does, for people. */
import type { FaultOrder } from './fault-order.ts';

export interface SentenceContext {
  /** Data is in memory only. */
  readonly ephemeral: boolean;
  /** Another site is neither stopped nor frozen. */
  readonly othersLive: boolean;
}

export function sentenceOf(order: FaultOrder, { ephemeral, othersLive }: SentenceContext): string {
  const { site } = order;
  const alone = othersLive ? '' : ' No other site lives: nothing serves until one is back.';
  switch (order.kind) {
    case 'stop':
      return (
        `${site} is stopped: its functions, its bridge and its emulators are killed, and are not started again.` +
        `${ephemeral ? ' Its data was in memory only and is gone.' : ''}${alone}`
      );
    case 'freeze':
      return `${site} is frozen: its processes answer nothing, and connections to it hang.${alone}`;
    case 'errors':
      return `The store and the queues of ${site} answer every call with an error.`;
    case 'throttle':
      return `The store and the queues of ${site} refuse every call, as when too much is asked of them.`;
    case 'slow':
      return `Every call to the store and to the queues of ${site} takes ${order.ms} ms longer.`;
    case 'partition':
      return order.both === true
        ? `${site} and ${order.peer} cannot reach each other: connections to queues and objects are refused.`
        : `${site} cannot reach ${order.peer}: connections to its queues and objects are refused.`;
  }
}
