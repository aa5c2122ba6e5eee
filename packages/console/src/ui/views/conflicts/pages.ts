/** The conflict log of a site, page by page, newest first. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ConflictPage } from '../../../../../../src/shared/operations/conflict-service.ts';
import { ofSite, query } from '../../api.ts';
import { type ConflictRow, rowOf } from './rows.ts';

/** So many that are meant are a page. A site gives at most 2 MB at once, however many are asked for. */
const PAGE = 20;
/** Of each question, where few are meant. */
const PAGE_MAX = 100;
/** What a page holds at most. */
export const ROWS_MAX = 5_000;

export interface Pages {
  readonly rows: readonly ConflictRow[];
  /** How many were read. Where it is more than the rows, the others were not meant, and were let go. */
  readonly read: number;
  /** Ids of entries that the site cannot read. */
  readonly unreadable: readonly string[];
  /** Where the next page begins; undefined: all have been read. */
  readonly cursor: string | undefined;
  readonly isLoading: boolean;
  readonly problem: string | undefined;
}

export interface LoadedPages extends Pages {
  /** Reads on until a page of those that are meant has come, all have been read, or it is stopped. */
  readonly more: () => void;
  readonly stop: () => void;
  /** From the begin. */
  readonly again: () => void;
}

const NONE: Pages = {
  rows: [],
  read: 0,
  unreadable: [],
  cursor: undefined,
  isLoading: true,
  problem: undefined,
};

/** @param meant Which of them count for a page. */
export function useConflicts(site: string | undefined, meant: (row: ConflictRow) => boolean): LoadedPages {
  const [pages, setPages] = useState<Pages>(NONE);
  const leave = useRef(new AbortController());
  const read = async (from: Pages): Promise<void> => {
    if (site === undefined) return;
    leave.current.abort();
    const { signal } = (leave.current = new AbortController());
    let now: Pages = { ...from, isLoading: true, problem: undefined };
    setPages(now);
    try {
      let found = 0;
      while (found < PAGE && now.rows.length < ROWS_MAX) {
        const limit = now.read === from.read ? PAGE : PAGE_MAX;
        const path = `replication/conflicts${query({ limit, cursor: now.cursor })}`;
        const { items, unreadable = [], cursor } = await ofSite<ConflictPage>(site, path, { signal });
        const rows = items.map(rowOf);
        found += rows.filter(meant).length;
        const all = [...now.rows, ...rows];
        now = {
          ...now,
          rows: all.length >= ROWS_MAX ? all.filter(meant) : all,
          read: now.read + items.length,
          unreadable: [...now.unreadable, ...unreadable].slice(0, ROWS_MAX),
          cursor,
        };
        if (signal.aborted) return;
        setPages(now);
        if (now.cursor === undefined) break;
      }
      setPages({ ...now, isLoading: false });
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Error ? error.message : String(error);
      setPages({ ...now, isLoading: false, problem });
    }
  };
  useEffect(() => {
    void read(NONE);
    return () => leave.current.abort();
    // A filter that changes looks at what is there; only the site has another log.
  }, [site]);
  const stop = (): void => {
    leave.current.abort();
    setPages((now) => ({ ...now, isLoading: false }));
  };
  return { ...pages, more: () => void read(pages), stop, again: () => void read(NONE) };
}
