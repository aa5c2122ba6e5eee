/**
 * A bound on how long something may take that is made of calls: a batch of a queue, whose lock, or whose function, ends
 * at a known time. The clock and the timers are those of whoever implements it.
 *
 * Invariant: nothing is begun once the time is over, and nothing is waited for beyond it. What was begun goes on by itself
 * and its end is of no interest, so it may take effect: whoever uses a limit must be able to do the same again.
 */
export interface TimeLimit {
  readonly isOver: boolean;
  /**
   * @param shares Into how many equal parts the whole time is divided, of which this call has one; 1: all that is left.
   * @throws UnavailableError when the time was over before; AmbiguousError when it, or the share, ran out meanwhile.
   */
  run<Result>(call: () => Promise<Result>, shares?: number): Promise<Result>;
}
