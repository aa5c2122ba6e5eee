/**
 * The order of test files of a whole run: long files first, so that none of them is left alone at the end; those that need
 * the processors (processes, simulations) alternate with those that wait (time-outs and long polls of the SDKs), so that
 * neither kind meets only itself.
 *
 * How long a file takes is what it took here before. In CI no file was run before: jest would know nothing but their sizes,
 * and so the long ones are listed. What is not listed, or no longer takes so long, is only run later or earlier.
 */
import Sequencer from '@jest/test-sequencer';

const BUSY = /^(?:tests\/(?:e2e|integration)|packages\/(?:testkit|local))\//;
/** Less than two fifths of their time is a processor's. */
const WAITING =
  /^tests\/(?:both|contract)\/|^tests\/e2e\/chaos$|^tests\/integration\/(?:bookings-example|host-start|readme|rights)$|^packages\/local\/tests\/(?:azure-host\/host|stack\/supervise)$/;

/** Seconds by the clock, beside others on two processors. */
const SECONDS = {
  'tests/e2e/chaos': 103,
  'tests/integration/bookings-example': 100,
  'tests/e2e/one-definition': 70,
  'tests/integration/rights': 70,
  'tests/e2e/kill': 60,
  'tests/integration/readme': 60,
  'packages/local/tests/azure-host/host': 40,
  'tests/both/first-check': 35,
  'tests/both/operations': 30,
  'tests/integration/quick-loop': 30,
  'tests/integration/aws-package': 28,
  'tests/integration/start': 28,
  'tests/contract/throttling': 28,
  'tests/both/http': 25,
  'tests/both/bridge': 25,
  'tests/integration/host-start': 25,
  'tests/both/replication': 23,
  'tests/integration/first-entity': 20,
  'packages/emulators/tests/package': 20,
  'tests/contract/dead-letter-box': 20,
  'packages/testkit/tests/simulator/mutants': 20,
  'packages/emulators/tests/service-bus/server': 20,
  'packages/local/tests/stack/supervise': 20,
  'tests/unit/generate-entities': 20,
  'tests/both/read-through': 19,
  'tests/contract/queue': 17,
  'packages/emulators/tests/cosmos/server': 17,
  'packages/testkit/tests/simulator/schedules': 16,
  'tests/integration/cost': 16,
  'tests/integration/azure-package': 16,
  'tests/unit/http/non-interference': 15,
  'tests/e2e/previous-release': 15,
  'packages/client/tests/package': 14,
  'tests/both/poisoned-keys': 14,
  'packages/local/tests/aws-host/host': 14,
  'packages/testkit/tests/simulator/shop': 13,
  'tests/integration/aws-features': 11,
};
/** Of what is so short that its place does not matter. */
const SHORT_SECONDS = 10;
/** Fewer are somebody's choice, and stay in jest's order. */
const WHOLE_RUN_MIN = 100;

export default class LongFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort([...tests]);
    return sorted.length < WHOLE_RUN_MIN ? sorted : alternating(sorted);
  }
}

const nameOf = ({ path, context }) =>
  path.slice(context.config.rootDir.length + 1).replace(/\.test\.ts$/, '');
const secondsOf = (test) =>
  test.duration === undefined ? (SECONDS[nameOf(test)] ?? 0) : test.duration / 1_000;

function alternating(tests) {
  const longFirst = tests.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  const {
    busy = [],
    waiting = [],
    short = [],
  } = Object.groupBy(longFirst, (test) => {
    const name = nameOf(test);
    if (WAITING.test(name)) return 'waiting';
    return BUSY.test(name) || secondsOf(test) > SHORT_SECONDS ? 'busy' : 'short';
  });
  const pairs = Array.from({ length: Math.max(busy.length, waiting.length) }, (_, index) => [
    ...busy.slice(index, index + 1),
    ...waiting.slice(index, index + 1),
  ]);
  return [...pairs.flat(), ...short];
}
