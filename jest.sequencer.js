/**
 * The order of test files of a whole run: such that at any time what runs keeps the processors busy, and not much more. Some
 * files wait most of their time, for processes, time-outs and long polls; others compute all of it, or on both processors.
 * So files that compute most are run as early as there is room for them, and files that wait run beside those that compute.
 *
 * Invariant: the order follows from what is recorded (jest.costs.json), wherever the run is: in a clone in which no file has
 * been run before, jest itself would know nothing but their sizes.
 */
import os from 'node:os';
import Sequencer from '@jest/test-sequencer';
import { nameOf, recordedCosts } from './jest.costs.js';

/** Of what is not recorded: a second of a processor. */
const SHORT = [1, 1];
/** Fewer are somebody's choice, and stay in jest's order. */
const WHOLE_RUN_MIN = 100;
/** Parts of a processor that files ask for beyond what there is: none of them asks evenly. */
const OVERBOOKED = 0.25;

export default class Packed extends Sequencer {
  #workers;

  constructor(options) {
    super(options);
    this.#workers = options.globalConfig.maxWorkers;
  }

  sort(tests) {
    const sorted = super.sort([...tests]);
    if (sorted.length < WHOLE_RUN_MIN) return sorted;
    const costs = recordedCosts();
    const files = sorted.map((test) => {
      const [seconds, processorSeconds] = costs[nameOf(test.path, test.context.config)] ?? SHORT;
      return { test, seconds: Math.max(seconds, 1), share: processorSeconds / Math.max(seconds, 1) };
    });
    return packed(files, this.#workers, os.availableParallelism()).map(({ test }) => test);
  }
}

/**
 * Files in the order in which they would begin, when each took what is recorded.
 * @template {{ seconds: number, share: number }} File
 * @param {readonly File[]} files Each with the seconds that it takes, and the share of one processor that it needs meanwhile.
 * @param {number} workers
 * @param {number} processors
 * @returns {File[]}
 */
export function packed(files, workers, processors) {
  const left = files.toSorted((a, b) => b.seconds * b.share - a.seconds * a.share);
  const order = [];
  let running = [];
  while (left.length > 0) {
    if (running.length < workers) {
      const [next] = left.splice(indexOfNext(left, running, processors + OVERBOOKED), 1);
      running.push({ share: next.share, secondsLeft: next.seconds });
      order.push(next);
    } else {
      const passed = Math.min(...running.map(({ secondsLeft }) => secondsLeft));
      running = running
        .map(({ share, secondsLeft }) => ({ share, secondsLeft: secondsLeft - passed }))
        .filter(({ secondsLeft }) => secondsLeft > 0);
    }
  }
  return order;
}

/** The one that computes most of those for which there is room; where there is room for none, the one that needs least. */
function indexOfNext(mostFirst, running, room) {
  const free = running.reduce((rest, { share }) => rest - share, room);
  const fits = mostFirst.findIndex(({ share }) => share <= free);
  if (fits !== -1) return fits;
  const least = Math.min(...mostFirst.map(({ share }) => share));
  return mostFirst.findIndex(({ share }) => share === least);
}
