/** A wrong command line, or a wrong variable in its place: the message names it and the rule. The exit status is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
