/** What a drill is run with. */
export interface DrillOptions {
  /** `aws-lost`. */
  readonly drill: string;
  readonly victim: string;
  readonly survivor: string;
  readonly seed: number;
  /** That honour the TTL; those that do not come on top. */
  readonly clients: number;
  /** How long the site stays away. */
  readonly awayMs: number;
  readonly progress: (line: string) => void;
}
