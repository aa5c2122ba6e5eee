/** Code on its way to the sites of a stack, and what a person sees of it. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Code } from '../../src/code/messages.ts';
import { CodeDelivery, type CodeDeliveryOptions } from '../../src/stack/code-delivery.ts';

let events: string[];
let timers: Map<number, () => void>;
let notReady: Set<string>;
let nowMs: number;
let generation: number;
let delivery: CodeDelivery;

function deliver(options: Partial<CodeDeliveryOptions> = {}): CodeDelivery {
  let id = 0;
  return new CodeDelivery({
    send: (site, code) => events.push(`${site} gets ${code.generation}`),
    isReady: (site) => !notReady.has(site),
    restart: (site, why) => events.push(`${site} is started again: ${why}`),
    isInspected: false,
    print: (line) => events.push(line),
    onProblem: (what, lines) => events.push(what, ...lines),
    onSettled: () => events.push('settled'),
    now: () => nowMs,
    startTimer: (_ms, onEnd) => {
      const timer = (id += 1);
      timers.set(timer, onEnd);
      return () => timers.delete(timer);
    },
    ...options,
  });
}

beforeEach(() => {
  events = [];
  timers = new Map();
  notReady = new Set();
  nowMs = 0;
  generation = 0;
  delivery = deliver();
});

/** As the builds count them. @returns The generation of each. */
function handOut(sites: readonly string[], file: string): number[] {
  const codes = sites.map((site) => {
    const code: Code = {
      generation: (generation += 1),
      appDir: '/build',
      definition: {} as Code['definition'],
    };
    return [site, code] as const;
  });
  delivery.handOut(new Map(codes), [file], nowMs);
  return codes.map(([, code]) => code.generation);
}

const happened = (): string[] => events.splice(0).filter((event) => !event.includes(' gets '));

/** The time of all that are waited for is over. */
function timeIsOver(): void {
  for (const [timer, onEnd] of timers) {
    timers.delete(timer);
    onEnd();
  }
}

describe('a change is one line', () => {
  test('when every site has taken it', () => {
    const [aws = 0, azure = 0] = handOut(['aws', 'azure'], 'a.ts');
    nowMs = 400;
    delivery.taken('azure', { type: 'code-taken', generation: azure });
    expect(happened()).toEqual([]);
    nowMs = 700;
    delivery.taken('aws', { type: 'code-taken', generation: aws });
    expect(happened()).toEqual(['Changed after 0.7 s: a.ts, at azure, aws', 'settled']);
    expect(timers.size).toBe(0);
  });

  test('with those that overtake it, also of fewer sites, and with a mistake that was mended meanwhile', () => {
    const [, azure = 0] = handOut(['aws', 'azure'], 'a.ts');
    nowMs = 100;
    const [aws = 0] = handOut(['aws'], 'serverless.aws.yml');
    delivery.handOut(new Map(), ['b.ts'], nowMs);
    expect(happened()).toEqual(['Builds again, as before: b.ts']);
    nowMs = 500;
    delivery.taken('aws', { type: 'code-taken', generation: aws });
    delivery.taken('azure', { type: 'code-taken', generation: azure });
    expect(happened()).toEqual(['Changed after 0.5 s: a.ts, serverless.aws.yml, at aws, azure', 'settled']);
  });

  test('with a reason for each site that does not take it; one that no site takes is no line', () => {
    const [aws = 0, azure = 0] = handOut(['aws', 'azure'], 'a.ts');
    delivery.taken('aws', { type: 'code-taken', generation: aws, problem: 'Error: at load\n    at a.ts:1' });
    delivery.taken('azure', { type: 'code-taken', generation: azure });
    const refused = [
      'Change not taken, aws goes on with the code from before',
      'Error: at load',
      '    at a.ts:1',
    ];
    expect(happened()).toEqual([...refused, 'Changed after 0.0 s: a.ts, at azure', 'settled']);
    const [again = 0] = handOut(['aws'], 'a.ts');
    delivery.taken('aws', {
      type: 'code-taken',
      generation: again,
      problem: 'Error: at load\n    at a.ts:1',
    });
    expect(happened()).toEqual([...refused, 'settled']);
  });
});

describe('a site that does not answer', () => {
  test('begins anew with the newest code, however many changes came meanwhile', () => {
    handOut(['aws'], 'a.ts');
    const [newest = 0] = handOut(['aws'], 'b.ts');
    expect(timers.size).toBe(1);
    timeIsOver();
    expect(happened()).toEqual(['aws is started again: has not taken the change after 30 s']);
    delivery.started('aws');
    expect(events).toEqual([`aws gets ${newest}`]);
    events = [];
    delivery.taken('aws', { type: 'code-taken', generation: newest });
    expect(happened()).toEqual(['Changed after 0.0 s: a.ts, b.ts, at aws', 'settled']);
  });

  test('has its time again for what came while it took the change before', () => {
    const [first = 0] = handOut(['aws'], 'a.ts');
    handOut(['aws'], 'b.ts');
    delivery.taken('aws', { type: 'code-taken', generation: first });
    expect(timers.size).toBe(1);
    timeIsOver();
    expect(happened()).toEqual(['aws is started again: has not taken the change after 30 s']);
  });

  test('and is being started has the time of a start, and from then on that of a change', () => {
    notReady.add('aws');
    const [first = 0] = handOut(['aws'], 'a.ts');
    delivery.started('aws');
    handOut(['aws'], 'b.ts');
    expect(timers.size).toBe(0);
    delivery.taken('aws', { type: 'code-taken', generation: first });
    expect(timers.size).toBe(1);
  });

  test('is not ended when a debugger may hold it', () => {
    delivery = deliver({ isInspected: true });
    const [aws = 0] = handOut(['aws'], 'a.ts');
    timeIsOver();
    expect(happened()).toEqual([
      'aws has not taken the change after 30 s: it does when no breakpoint holds it',
    ]);
    delivery.taken('aws', { type: 'code-taken', generation: aws });
    expect(happened()).toEqual(['Changed after 0.0 s: a.ts, at aws', 'settled']);
  });
});
