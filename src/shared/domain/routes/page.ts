/** What people see of a route in place of JSON: a document without a script, which `src/shared/http/page.ts` puts a frame around. */
import type { Html } from '../markup.ts';

export interface Page {
  /** BCP 47. */
  readonly language: string;
  /** Of the window, and the heading. */
  readonly title: string;
  /** Below the heading. */
  readonly body: Html;
}
