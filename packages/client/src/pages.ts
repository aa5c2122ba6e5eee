/** Lists, page by page and record by record. A cursor is good at every site, so the next page may come from another one. */
import type { Result } from './types.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Ids of records that are there and that the site which answered cannot read. */
  readonly unreadable?: readonly string[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

/** Every record of a list, in its order; or its pages, which also say what could not be read. */
export interface Listed<Item> extends AsyncIterable<Item> {
  pages(): AsyncGenerator<Result<Page<Item>>, void, undefined>;
}

/** @param read Reads the page that begins at the cursor; without one the first. */
export function listed<Item>(
  read: (cursor: string | undefined) => Promise<Result<Page<Item>>>,
): Listed<Item> {
  return {
    async *pages() {
      let cursor: string | undefined;
      for (;;) {
        const page = await read(cursor);
        yield page;
        const next = page.data.cursor;
        if (next === undefined) return;
        if (next === cursor) throw new Error(`the list does not go on: its next page is ${next} again`);
        cursor = next;
      }
    },
    async *[Symbol.asyncIterator]() {
      for await (const { data } of this.pages()) yield* data.items;
    },
  };
}
