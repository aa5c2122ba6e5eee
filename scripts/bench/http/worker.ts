/**
 * One contender in a process of its own, as in production: loads its bundle, and on request answers once or runs
 * one round. The parent runs one worker at a time.
 */
import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { argumentsOf, type Shape } from './fixture.ts';

/** What the parent sends. */
export type Command =
  /** Answer one request; `valid: false` sends a body that breaks the schema. */
  | { readonly type: 'answer'; readonly valid: boolean }
  /** Answer `segments` times `perSegment` requests, one after the other. */
  | { readonly type: 'round'; readonly segments: number; readonly perSegment: number };

/** What the worker sends back: one for each command, in order. */
export type Reply =
  | { readonly type: 'answer'; readonly response: PlatformResponse }
  /** Microseconds of processor time per request: all threads of the process, so the collector's too. */
  | { readonly type: 'round'; readonly cpuMicros: number };

/** An answer in the shape of either platform. */
export interface PlatformResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

type Handler = (...args: readonly unknown[]) => Promise<{
  readonly statusCode?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body: string;
}>;

const [bundle, shape] = process.argv.slice(2) as [string, Shape];
const handler = (createRequire(import.meta.url)(bundle) as Record<Shape, Handler>)[shape];
let served = 0;

async function response(valid: boolean): Promise<Reply> {
  const result = await handler(...argumentsOf(shape, 0, valid));
  const status = result.statusCode ?? result.status ?? 0;
  return { type: 'answer', response: { status, headers: result.headers ?? {}, body: result.body } };
}

async function round(segments: number, perSegment: number): Promise<Reply> {
  let micros = 0;
  for (let segment = 0; segment < segments; segment += 1) {
    const requests = Array.from({ length: perSegment }, () => argumentsOf(shape, (served += 1)));
    micros += await cpuOf(requests);
  }
  return { type: 'round', cpuMicros: micros / (segments * perSegment) };
}

/** The requests are made beforehand: making them is the platform's work. */
async function cpuOf(requests: readonly (readonly unknown[])[]): Promise<number> {
  const before = process.cpuUsage();
  for (const request of requests) {
    const { statusCode, status } = await handler(...request);
    if ((statusCode ?? status) !== 201) throw new Error(`answered ${statusCode ?? status ?? 'nothing'}`);
  }
  // What a request leaves for the next turn of the event loop belongs to it.
  await setImmediate();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

process.on('message', (command: Command) => {
  const reply =
    command.type === 'answer' ? response(command.valid) : round(command.segments, command.perSegment);
  reply.then(
    (message) => process.send?.(message),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
