/**
 * How many functions of an account may run at the same time, all of them together.
 *
 * Invariant: an invocation beyond the limit is refused before the function sees anything. Behind a queue its messages
 * stay hidden until their visibility timeout ends, and have been received once more: the mapping of Lambda tries a
 * throttled batch again for a while, which counts nothing; that is left out, so that every throttle counts here.
 *
 * The functions behind HTTP run in another process and have their own share; the limit here is what they leave.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (1,000; "New AWS accounts have reduced
 *   concurrency"), https://github.com/awslabs/fhir-works-on-aws-deployment/issues/691 (ten)
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export class AccountConcurrency {
  readonly #limit: number;
  #running = 0;

  /** @param limit Infinity: an account that has more than this site ever uses. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws Error `TooManyRequestsException` beyond the limit; else what the function throws. */
  async run<Result>(invoke: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#limit) {
      throw Object.assign(new Error('Rate Exceeded.'), { name: 'TooManyRequestsException' });
    }
    this.#running += 1;
    try {
      return await invoke();
    } finally {
      this.#running -= 1;
    }
  }
}

/** What `TANDEM_LAMBDA_CONCURRENCY` says; nothing: no limit. @throws RangeError when it is not a whole number from 1. */
export function concurrencyLimit(text: string | undefined): number {
  if (text === undefined || text === '') return Infinity;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`TANDEM_LAMBDA_CONCURRENCY is a whole number from 1, not '${text}'`);
  return limit;
}
