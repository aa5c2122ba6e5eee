import { readStack } from '@tandem-clouds/command-line/running-stack';
import { explain, getJson } from '@tandem-clouds/operator/get-json';
import { TargetError } from '@tandem-clouds/operator/targets';

/**
 * What the collector of the stack on this machine answers.
 * @param file A `stack.json`, or the folder it is in.
 * @throws TargetError when no stack runs, or it does not answer.
 */
export async function askCollector(file: string, path: string): Promise<unknown> {
  const stack = readStack(file);
  if (stack === undefined) throw new TargetError(`no stack runs here (${file}); start one with npm start`);
  try {
    return await getJson(new URL(path, stack.traces.url));
  } catch (error) {
    throw new TargetError(`${stack.traces.url}: ${explain(error)}`, { cause: error });
  }
}
