/** What a view reads from the sites: tried again until it is there, and given up when the view is left. */
import { useEffect, useState } from 'preact/hooks';
import { pause } from './pause.ts';

const PAUSE_MS = 1_500;

export interface Loaded<T> {
  /** Undefined while nothing has come. */
  readonly value: T | undefined;
  /** No site has answered yet; it goes on. */
  readonly isRetrying: boolean;
}

/** @param key When it changes, it is read anew. @param read Rejects when no site has answered. */
export function useLoaded<T>(key: string, read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly key: string }>({ ...NOTHING, key });
  useEffect(() => {
    const leave = new AbortController();
    setLoaded({ ...NOTHING, key });
    const retrying = (): void => {
      if (!leave.signal.aborted) setLoaded({ value: undefined, isRetrying: true, key });
    };
    void untilRead(read, leave.signal, retrying).then((value) => {
      if (!leave.signal.aborted) setLoaded({ value, isRetrying: false, key });
    });
    return () => leave.abort(new DOMException('the view was left', 'AbortError'));
  }, [key]);
  // What belongs to the view before is not shown under this one's title.
  return loaded.key === key ? loaded : NOTHING;
}

const NOTHING = { value: undefined, isRetrying: false } as const;

async function untilRead<T>(
  read: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  onRetry: () => void,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await read(signal);
    } catch {
      onRetry();
      await pause(PAUSE_MS, signal);
    }
  }
  return undefined;
}
