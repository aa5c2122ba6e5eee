import type { Ran } from './command.ts';

/** What a command told the person in front of it when it failed: the lines after `Error:`. */
export function reported({ output }: Ran): string[] {
  const [, message = output] = output.split(/^Error:\n/m);
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '))
    .slice(0, 6)
    .map((line) => `says: ${line}`);
}
