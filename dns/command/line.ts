/** What the command lines of `dns` say. */

export type CommandName = 'plan' | 'apply' | 'status' | 'dump' | 'shift' | 'drain' | 'failover' | 'restore';

export interface CommandLine {
  readonly command: CommandName;
  readonly policy: string;
  /** A `stack.json`, or the folder it is in; read when the policy's provider is `local`. */
  readonly stack: string;
  readonly json: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly now: boolean;
  /** Where `plan` writes itself. */
  readonly out?: string | undefined;
  /** The plan that `apply` may perform, and no other: a file, or its hash. */
  readonly plan?: string | undefined;
  readonly hash?: string | undefined;
  readonly timeline?: string | undefined;
  readonly site?: string;
  readonly percent?: number;
}
