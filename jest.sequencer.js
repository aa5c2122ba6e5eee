/**
 * The order of test files where none of them has been run before, as in CI: jest then knows nothing but their sizes. With the
 * times of an earlier run it does without this.
 *
 * The long ones are first, so that none of them is left alone at the end; those that need the processors (processes,
 * simulations) alternate with those that wait (time-outs and long polls of the SDKs), so that neither kind meets only itself.
 */
import Sequencer from '@jest/test-sequencer';

const BUSY = /^(?:tests\/(?:e2e|integration)|packages\/(?:testkit|local))\//;
const WAITING = /^tests\/(?:both|contract)\//;

export default class LongFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort([...tests]);
    return sorted.some(({ duration }) => duration !== undefined) ? sorted : longFirst(sorted);
  }
}

function longFirst(tests) {
  const {
    busy = [],
    waiting = [],
    short = [],
  } = Object.groupBy(tests, ({ path, context }) => {
    const file = path.slice(context.config.rootDir.length + 1);
    if (BUSY.test(file)) return 'busy';
    return WAITING.test(file) ? 'waiting' : 'short';
  });
  const alternating = Array.from({ length: Math.max(busy.length, waiting.length) }, (_, index) => [
    ...busy.slice(index, index + 1),
    ...waiting.slice(index, index + 1),
  ]);
  return [...alternating.flat(), ...short];
}
