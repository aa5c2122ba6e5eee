/** What the output understands: the one rule of every command, and of `npm start`. */

type Environment = Readonly<Record<string, string | undefined>>;

interface Stream {
  readonly isTTY?: boolean;
}

/** A terminal in which the cursor can be moved; a dumb one only writes on. */
export function isTerminal(stream: Stream, env: Environment = process.env): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** `NO_COLOR` counts when it is present and not empty: https://no-color.org */
export function hasColour(stream: Stream, env: Environment = process.env): boolean {
  return isTerminal(stream, env) && (env['NO_COLOR'] ?? '') === '';
}
