/** What a view reads once, or again and again while it is shown. */
import { useCallback, useEffect, useState } from 'preact/hooks';

export interface Loaded<T> {
  /** The latest that came; undefined: nothing yet. */
  readonly value: T | undefined;
  /** Why the latest question has no answer. */
  readonly problem: string | undefined;
  readonly isLoading: boolean;
  readonly again: () => void;
}

/**
 * @param key When it changes, what was read for the old one is not shown any more.
 * @param everyMs How often it is read again; absent: once, and with `again`.
 */
export function useLoaded<T>(
  key: string,
  read: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; problem?: string; isLoading: boolean }>({
    key,
    isLoading: true,
  });
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => {
    const leave = new AbortController();
    const { signal } = leave;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      try {
        const value = await read(signal);
        if (!signal.aborted) setState({ key, value, isLoading: false });
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (!signal.aborted)
          setState((old) => ({ ...(old.key === key ? old : { key }), problem, isLoading: false }));
      }
      if (everyMs !== undefined && !signal.aborted) timer = setTimeout(() => void run(), everyMs);
    };
    setState((old) => (old.key === key ? { ...old, isLoading: true } : { key, isLoading: true }));
    void run();
    return () => {
      leave.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);
  const { value, problem, isLoading } = state.key === key ? state : { isLoading: true };
  return { value, problem, isLoading, again };
}
