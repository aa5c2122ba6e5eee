/**
 * What an emulator says about itself: what its service publishes, where that is written, and the test that holds the
 * emulator to it, or why it is not imitated. Data beside each emulator (`<emulator>/facts.ts`); `npm run generate` writes
 * docs/emulators from it, and a test finds every test that is named.
 *
 * Invariant: nobody has to read an emulator to know where it is laxer than its service.
 */

export type FactKind =
  | 'limit'
  /** What is refused, beyond limits. */
  | 'validation'
  /** How a refusal looks: status, code, shape. */
  | 'error'
  /** What an answer, an event or a request looks like. */
  | 'shape'
  | 'timing'
  /** What depends on the tier, the plan or the account. */
  | 'tier';

export interface TestName {
  /** From the root of the project. */
  readonly file: string;
  /** To the letter, placeholders of a table included. */
  readonly title: string;
  /** Of a table of cases, the one: a text in it. */
  readonly row?: string;
}

export interface Fact {
  readonly kind: FactKind;
  /** What the service does. */
  readonly what: string;
  /** Address of the vendor's page, source or thread. */
  readonly source: string;
  /** The test that holds the emulator to it; or a sentence that begins with "because". */
  readonly held: TestName | `because ${string}`;
}

export interface EmulatorFacts {
  /** Name of the page: `dynamodb`. */
  readonly id: string;
  readonly title: string;
  /** Where the emulator is. */
  readonly folder: string;
  /** Of what can be used by itself: for the table in the README of the package. */
  readonly scope?: {
    readonly serves: string;
    /** What a user of the service might expect and does not get. */
    readonly lacks: string;
    /** Test files that hold it to its service as a whole, beside those that a fact names. */
    readonly suites: readonly string[];
  };
  readonly facts: readonly Fact[];
}

/** Makes rows of one test file. */
export function testsOf(file: string): (title: string, row?: string) => TestName {
  return (title, row) => ({ file, title, ...(row !== undefined && { row }) });
}
