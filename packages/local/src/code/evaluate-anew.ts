/** Evaluating the files of a folder again in this process, without losing what runs when that fails. */
import path from 'node:path';

export interface Evaluated<Result> {
  readonly result: Result;
  /** `require` finds the modules from before again: what was evaluated will not be served after all. */
  readonly undo: () => void;
}

/**
 * Forgets every module of a folder and evaluates it again.
 * @param folder Absolute, symbolic links resolved, as in the module cache.
 * @throws What `evaluate` throws; the modules from before are then those that `require` finds.
 */
export function evaluateAnew<Result>(
  { cache }: NodeJS.Require,
  folder: string,
  evaluate: () => Result,
): Evaluated<Result> {
  const ofFolder = (): [string, NodeJS.Module | undefined][] =>
    Object.entries(cache).filter(([file]) => file.startsWith(folder + path.sep));
  const before = ofFolder();
  const forget = (): void => {
    for (const [file] of ofFolder()) Reflect.deleteProperty(cache, file);
  };
  const undo = (): void => {
    forget();
    // The code that goes on running may still load a part of itself.
    Object.assign(cache, Object.fromEntries(before));
  };
  forget();
  try {
    return { result: evaluate(), undo };
  } catch (error) {
    undo();
    throw error;
  }
}
