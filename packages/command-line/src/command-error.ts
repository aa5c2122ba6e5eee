/** What is expected to go wrong with a command: the message is all that a person needs. The exit status is 1. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}
