/** What `npm run tandem -- lint-infra` runs one after the other. */

export interface Check {
  readonly name: string;
  /** Resolves with what is wrong, as text for people; nothing when all is well. @throws Unavailable when it cannot run here. */
  readonly run: () => Promise<readonly string[]>;
}
