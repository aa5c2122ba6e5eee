import { describe, expect, test } from '@jest/globals';
import { HealthState } from '../../src/dns/health-state.ts';

const INTERVAL_MS = 10_000;

/** Feeds findings, one per interval: `+` success, `-` failure. Returns what was healthy after each of them. */
function run(findings: string, { state = newState(), fromMs = 0 } = {}): string {
  return Array.from(findings, (finding, index) => {
    state.observe(finding === '+', fromMs + index * INTERVAL_MS);
    return state.healthy ? '+' : '-';
  }).join('');
}

function newState(passing?: boolean): HealthState {
  return new HealthState({ threshold: 3, intervalMs: INTERVAL_MS, passing });
}

test.each([
  ['counts as healthy before anything is known', '', ''],
  ['falls after three failures in a row', '+---', '+++-'],
  ['a success in between begins the count anew', '+--+--+---', '+++++++++-'],
  ['rises after three successes in a row', '+---++-+++', '+++------+'],
  ['the first success is enough for a target that was never well', '---+', '++-+'],
])('%s', (_title, findings, wanted) => {
  expect(run(findings)).toBe(wanted);
});

test('a new target is not given up sooner because it is asked more often', () => {
  const state = newState();
  for (let ms = 0; ms < 20_000; ms += 1_000) state.observe(false, ms);
  expect(state.healthy).toBe(true);
  state.observe(false, 20_000);
  expect(state.healthy).toBe(false);
});

test('what was known before a restart holds until the checks say otherwise', () => {
  expect(newState(false).healthy).toBe(false);
  expect(run('++', { state: newState(false) })).toBe('--');
  expect(run('+++', { state: newState(false) })).toBe('--+');
});

test('says when it has changed, and only then', () => {
  const state = newState();
  const changes = Array.from('+----+++', (finding, index) =>
    state.observe(finding === '+', index * INTERVAL_MS),
  );
  expect(changes).toEqual([false, false, false, true, false, false, false, true]);
  expect(state.view()).toMatchObject({ healthy: true, changedAtMs: 70_000, damped: false });
});

describe('a target that flaps', () => {
  const FLAP = '---+++';

  test('is back at once after two falls, and stays out after the third', () => {
    const state = newState();
    const seen = run(`+${FLAP}${FLAP}${FLAP}`, { state });
    expect(seen).toBe('+' + '++---+' + '++---+' + '++----');
    expect(state.view()).toMatchObject({ passing: true, damped: true, healthy: false });
  });

  test('comes back when it has been calm, within five minutes', () => {
    const state = newState();
    run(`+${FLAP.repeat(20)}`, { state });
    expect(state.healthy).toBe(false);
    const calm = run('+'.repeat(30), { state, fromMs: 121 * INTERVAL_MS });
    expect(calm).toMatch(/^-{5,}\++$/);
  });

  test('falls far apart are no flapping', () => {
    const state = newState();
    const calm = '+'.repeat(60);
    expect(run(`+${FLAP}${calm}${FLAP}${calm}${FLAP}`, { state }).endsWith('+')).toBe(true);
  });
});
