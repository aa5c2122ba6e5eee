/** A list that is read page by page, as far as somebody wants it. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Page<T> {
  readonly items: readonly T[];
  /** Ids of what is there and cannot be read. */
  readonly unreadable?: readonly string[];
  readonly cursor?: string;
}

export interface Pages<T> extends Page<T> {
  readonly isLoading: boolean;
  /** Why the latest page is not there. */
  readonly problem: string | undefined;
  readonly more: () => void;
  readonly again: () => void;
}

/** More rows than anybody reads: who wants others filters. */
export const ROWS_MAX = 500;
/** Of a filter that is being typed only the last one is asked for. */
const PAUSE_MS = 150;

interface State<T> extends Page<T> {
  readonly key: string;
  readonly isLoading: boolean;
  readonly problem?: string;
}

/**
 * @param key When it changes, it is another list.
 * @param everyMs How often the first page is read again, while nobody has asked for a second one.
 */
export function usePages<T>(
  key: string,
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
  everyMs?: number,
): Pages<T> {
  const [state, setState] = useState<State<T>>({ key, items: [], isLoading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(state);
  latest.current = state;
  const leaving = useRef<AbortController | undefined>(undefined);

  const load = async (before: State<T> | undefined, signal: AbortSignal): Promise<void> => {
    try {
      const page = await read(before?.cursor, signal);
      if (signal.aborted) return;
      const unreadable = [...(before?.unreadable ?? []), ...(page.unreadable ?? [])];
      setState({
        key,
        items: [...(before?.items ?? []), ...page.items],
        unreadable,
        ...(page.cursor !== undefined && { cursor: page.cursor }),
        isLoading: false,
      });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (!signal.aborted)
        setState((old) => ({ ...(old.key === key ? old : { key, items: [] }), isLoading: false, problem }));
    }
  };

  const pagesRead = useRef(1);
  useEffect(() => {
    const leave = new AbortController();
    leaving.current = leave;
    pagesRead.current = 1;
    setState((old) => (old.key === key ? { ...old, isLoading: true } : { key, items: [], isLoading: true }));
    let timer: ReturnType<typeof setTimeout>;
    const run = async (): Promise<void> => {
      if (pagesRead.current === 1) await load(undefined, leave.signal);
      if (everyMs !== undefined && !leave.signal.aborted) timer = setTimeout(() => void run(), everyMs);
    };
    timer = setTimeout(() => void run(), PAUSE_MS);
    return () => {
      leave.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);

  const more = useCallback(() => {
    const { current } = latest;
    const signal = leaving.current?.signal;
    if (current.isLoading || current.cursor === undefined || signal === undefined) return;
    pagesRead.current += 1;
    setState({ ...current, isLoading: true });
    void load(current, signal);
  }, [key]);
  const again = useCallback(() => setRound((count) => count + 1), []);
  const shown: State<T> = state.key === key ? state : { key, items: [], isLoading: true };
  return { ...shown, problem: shown.problem, more, again };
}
