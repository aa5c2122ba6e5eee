/** Evaluating the files of a folder again in this process, without losing what runs when that fails. */
import path from 'node:path';

/**
 * Forgets every module of a folder and evaluates it again.
 * @param folder Absolute, symbolic links resolved, as in the module cache.
 * @throws What `evaluate` throws; the modules from before are then those that `require` finds.
 */
export function evaluateAnew<Result>(
  { cache }: NodeJS.Require,
  folder: string,
  evaluate: () => Result,
): Result {
  const before = Object.entries(cache).filter(([file]) => file.startsWith(folder + path.sep));
  for (const [file] of before) Reflect.deleteProperty(cache, file);
  try {
    return evaluate();
  } catch (error) {
    // The code that goes on running may still load a part of itself.
    Object.assign(cache, Object.fromEntries(before));
    throw error;
  }
}
