/**
 * Spans, and what is sent of them.
 *
 * Sampling: a trace that comes from outside is sampled if its caller says so; one that begins here, by its id, so that all
 * sites that decide for themselves decide alike. Of a trace that is not sampled, an invocation that fails is sent all the
 * same, as many a minute as `failedPerMinuteMax`.
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { otlpBounds, traceBounds } from '../../bounds.ts';
import type { OtlpSender } from './otlp-sender.ts';
import { Invocation, Span, type SpanContext, type SpanOptions } from './span.ts';

export interface TracerOptions {
  /** Of traces that begin here: from 0 to 1. */
  readonly ratio: number;
  readonly sender: Pick<OtlpSender<Span>, 'add' | 'flush'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  /** So many random bytes, in hexadecimal. */
  readonly randomHex: (bytes: number) => string;
}

/** What is going on. */
interface Scope {
  readonly span: Span;
  /** Key of a record → the span that stands for it in its own trace, in a batch of several. */
  readonly byKey?: ReadonlyMap<string, Span> | undefined;
}

export interface InvocationOptions extends SpanOptions {
  /** The trace that goes on; absent: one begins. */
  readonly parent?: SpanContext | undefined;
  /** For how long the platform lets it wait yet; absent: nothing says so. */
  readonly remainingMs?: (() => number) | undefined;
}

/** Of the 56 random bits of a trace id, those that a number holds. */
const RANDOM_DIGITS = 13;
const RANDOM_STATES = 16 ** RANDOM_DIGITS;
const MINUTE_MS = 60_000;

export class Tracer {
  readonly #options: TracerOptions;
  readonly #scopes = new AsyncLocalStorage<Scope>();
  #failedSince = -Infinity;
  #failed = 0;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  current(): Span | undefined {
    return this.#scopes.getStore()?.span;
  }

  /** The span that stands for a record: its own in a batch of several traces, else the current one. */
  spanOf(key: string | undefined): Span | undefined {
    const scope = this.#scopes.getStore();
    return (key === undefined ? undefined : scope?.byKey?.get(key)) ?? scope?.span;
  }

  /** A child of the current span. Outside of an invocation, as while a process starts, there is none. */
  async span<Result>(
    options: SpanOptions,
    act: (span: Span | undefined) => Promise<Result>,
    parent = this.current(),
  ): Promise<Result> {
    if (parent === undefined) return act(undefined);
    const span = this.begin(parent.invocation, parent, options);
    return this.#ending(span, { span, byKey: this.#scopes.getStore()?.byKey }, () => act(span));
  }

  begin(invocation: Invocation, parent: SpanContext | undefined, options: SpanOptions): Span {
    const { randomHex } = this.#options;
    const traceId = parent?.traceId ?? randomHex(16);
    // Where several traces meet, the one that begins is sampled if any of them is.
    const isSampled =
      parent?.isSampled ??
      (options.links?.some((link) => link.isSampled) === true || this.#isSampled(traceId));
    const context = { traceId, spanId: randomHex(8), isSampled };
    return new Span(invocation, context, { ...options, parentId: parent?.spanId });
  }

  /** Runs with a span for each record of a batch. */
  withRecords<Result>(byKey: ReadonlyMap<string, Span>, act: () => Promise<Result>): Promise<Result> {
    const span = this.current();
    return span === undefined ? act() : this.#scopes.run({ span, byKey }, act);
  }

  /** What a platform calls: its spans are sent before its result is given, in the time that there is. */
  async invocation<Result>(
    { parent, remainingMs, ...options }: InvocationOptions,
    act: (span: Span) => Promise<Result>,
  ): Promise<Result> {
    const invocation = new Invocation(this.#options);
    const span = this.begin(invocation, parent, options);
    invocation.root = span;
    try {
      return await this.#ending(span, { span }, () => act(span));
    } finally {
      await this.#send(invocation, remainingMs);
    }
  }

  async #ending<Result>(span: Span, scope: Scope, act: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#scopes.run(scope, act);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }

  async #send(invocation: Invocation, remainingMs: (() => number) | undefined): Promise<void> {
    const { sender } = this.#options;
    const isKept = invocation.hasFailed && this.#mayKeepFailed();
    const keep = (spans: readonly Span[]): readonly Span[] =>
      isKept ? spans : spans.filter(({ isSampled }) => isSampled);
    sender.add(keep(invocation.finish((late) => sender.add(keep([late])))));
    // Half of what is left: the answer needs some of it.
    await sender.flush(Math.min(otlpBounds.waitMs, (remainingMs?.() ?? Infinity) / 2));
  }

  #mayKeepFailed(): boolean {
    const nowMs = this.#options.elapsed();
    if (nowMs - this.#failedSince >= MINUTE_MS) [this.#failedSince, this.#failed] = [nowMs, 0];
    this.#failed += 1;
    return this.#failed <= traceBounds.failedPerMinuteMax;
  }

  #isSampled(traceId: string): boolean {
    const random = Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16);
    return random >= (1 - this.#options.ratio) * RANDOM_STATES;
  }
}
