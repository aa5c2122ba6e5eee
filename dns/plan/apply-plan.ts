/**
 * Makes the changes of a plan. Either all of them are made, or those that were made are taken back, or, when even that
 * fails, the message says so: the next `apply` then resumes, as it plans what is still missing.
 */
import type { Change } from '@tandem-clouds/zone/model';
import { HalfAppliedError } from '../errors.ts';
import type { Provider } from '../provider.ts';
import type { Plan } from './plan.ts';

/** @throws ProviderError when nothing was changed; HalfAppliedError when something was. */
export async function applyPlan(
  { changes, leftovers }: Pick<Plan, 'changes' | 'leftovers'>,
  provider: Provider,
  onDone: (change: Change) => void = () => undefined,
): Promise<void> {
  const done: Change[] = [];
  try {
    if (changes.length > 0) {
      await provider.apply(changes, (change) => {
        done.push(change);
        onDone(change);
      });
    }
  } catch (error) {
    if (done.length === 0) throw error;
    throw await takenBack(done, changes.length, provider, error);
  }
  // Also those that the changes have just set free.
  if (changes.length > 0 || leftovers.length > 0) await provider.cleanUp();
}

async function takenBack(
  done: readonly Change[],
  total: number,
  provider: Provider,
  cause: unknown,
): Promise<HalfAppliedError> {
  const why = cause instanceof Error ? cause.message : String(cause);
  const undone: Change[] = [];
  try {
    await provider.apply(done.map(inverse).reverse(), (change) => void undone.push(change));
    return new HalfAppliedError(
      `${why}\nrolled back: ${done.length} of ${total} changes had been made and were taken back; the zone is as before`,
      { cause },
    );
  } catch (error) {
    const left = done.length - undone.length;
    return new HalfAppliedError(
      `${why}\nhalf applied: ${left} of ${total} changes are made, and they could not be taken back ` +
        `(${error instanceof Error ? error.message : String(error)}); run apply again to resume`,
      { cause },
    );
  }
}

function inverse({ before, after }: Change): Change {
  return { ...(after && { before: after }), ...(before && { after: before }) };
}
