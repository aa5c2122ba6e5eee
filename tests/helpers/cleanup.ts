/** Closes what a test opened, also when the test fails half-way. */
import { afterEach } from '@jest/globals';

/**
 * Returns a function that registers a closing action; after each test the actions run, the latest first.
 * Actions must be harmless when what they close is closed already.
 */
export function closeAfterEach(): (close: () => unknown) => void {
  const actions: (() => unknown)[] = [];
  afterEach(async () => {
    for (let close = actions.pop(); close !== undefined; close = actions.pop()) await close();
  });
  return (close) => {
    actions.push(close);
  };
}
