/** What the protocol is told about where records are kept and who writes them, as pure functions. */
import type { RecordState } from './record.ts';
import type { SiteId } from './stamp.ts';

/** The sites that keep a record; undefined: every site. The state says it of what names another record. */
export interface KeptAt {
  (key: string, state?: RecordState): readonly SiteId[] | undefined;
  /** Names all that is declared: where anything of it is different, so is this. */
  readonly declaration: string;
}

/** The site that a declaration names to write the records of a key's entity; undefined: every site writes them. */
export interface DeclaredWriter {
  (key: string): SiteId | undefined;
  /** Those that it names a site for: each has comparisons of its own. */
  readonly entities?: readonly string[];
}
