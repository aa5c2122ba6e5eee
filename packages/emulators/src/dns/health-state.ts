/**
 * Whether one target is healthy, from what its checks found. Pure: time comes in.
 *
 * Invariants: the state changes only after `threshold` findings in a row, but for the very first success. A target that
 * keeps changing stays unhealthy until it has been calm: every fall adds a penalty that decays by half in a time (after
 * RFC 2439, route flap damping). So answers do not follow each flap, and a target that falls once or twice is back as
 * soon as it is well.
 */

/** The half-life, in units of threshold × interval. */
const HALF_LIFE = 6;
const PENALTY = 1;
/** The third fall in a short time. */
const SUPPRESS_ABOVE = 2.2;
const REUSE_BELOW = 1;
/** So a target is suppressed for 1.6 half-lives at most after it has become calm. */
const PENALTY_MAX = 3;

/** As others see it. */
export interface HealthView {
  readonly healthy: boolean;
  /** What the checks say, damping apart; undefined before they have said anything. */
  readonly passing: boolean | undefined;
  /** Fell too often; unhealthy until it has been calm. */
  readonly damped: boolean;
  /** Epoch milliseconds of the last change of `healthy`; undefined before the first. */
  readonly changedAtMs: number | undefined;
}

export interface HealthStateOptions {
  readonly threshold: number;
  readonly intervalMs: number;
  /** What was known before a restart. */
  readonly passing?: boolean | undefined;
}

export class HealthState {
  readonly #options: HealthStateOptions;
  #passing: boolean | undefined;
  #everPassed: boolean;
  #firstAtMs: number | undefined;
  /** Findings in a row that contradict `passing`. */
  #against = 0;
  #penalty = 0;
  #penaltyAtMs = 0;
  #damped = false;
  #changedAtMs: number | undefined;

  constructor(options: HealthStateOptions) {
    this.#options = options;
    this.#passing = options.passing;
    this.#everPassed = options.passing !== undefined;
  }

  /** False while the target may just be starting. */
  get everPassed(): boolean {
    return this.#everPassed;
  }

  /** Not known counts as healthy, as for Route 53: a new check must not take a working site out. */
  get healthy(): boolean {
    return this.#passing !== false && !this.#damped;
  }

  view(): HealthView {
    return {
      healthy: this.healthy,
      passing: this.#passing,
      damped: this.#damped,
      changedAtMs: this.#changedAtMs,
    };
  }

  /** Takes in one finding; true when `healthy` has changed. */
  observe(success: boolean, nowMs: number): boolean {
    const before = this.healthy;
    this.#decay(nowMs);
    if (success === this.#passing) this.#against = 0;
    else this.#against += 1;
    this.#firstAtMs ??= nowMs;
    if (this.#everPassed ? this.#against >= this.#options.threshold : this.#isCertain(success, nowMs)) {
      this.#turn(success);
    }
    if (this.#damped && this.#penalty < REUSE_BELOW) this.#damped = false;
    if (this.healthy === before) return false;
    this.#changedAtMs = nowMs;
    return true;
  }

  /** Of a target that was never well: the first success is enough; failures take as long as for any other, however fast they come. */
  #isCertain(success: boolean, nowMs: number): boolean {
    const { threshold, intervalMs } = this.#options;
    if (success) return true;
    return this.#against >= threshold && nowMs - (this.#firstAtMs ?? nowMs) >= (threshold - 1) * intervalMs;
  }

  #turn(passing: boolean): void {
    // A target that was never well has not fallen.
    if (!passing && this.#passing === true) this.#penalty = Math.min(this.#penalty + PENALTY, PENALTY_MAX);
    if (this.#penalty > SUPPRESS_ABOVE) this.#damped = true;
    this.#passing = passing;
    this.#everPassed ||= passing;
    this.#against = 0;
  }

  #decay(nowMs: number): void {
    const { threshold, intervalMs } = this.#options;
    const halfLives = (nowMs - this.#penaltyAtMs) / (HALF_LIFE * threshold * intervalMs);
    this.#penalty *= 0.5 ** Math.max(0, halfLives);
    this.#penaltyAtMs = nowMs;
  }
}
