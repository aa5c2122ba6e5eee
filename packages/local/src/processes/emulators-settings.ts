/** What the process with the emulators of a site is started with, and what both sides of it know. */

export interface EmulatorsSettings {
  /** Announced when everything listens: `aws-us-east-1.emulators`. */
  readonly name: string;
  readonly cloud: 'aws' | 'azure';
  readonly region: string;
  /** Absent: memory only. */
  readonly dataDir?: string | undefined;
  /** Whose secrets are in the vault; absolute. Absent: the vault is empty. */
  readonly secretsFile?: string;
  /** What the vault holds beside that file, which wins. */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * TCP port by service: `dynamodb`, `sqs`, `secrets-manager`, `s3`; `cosmos`, `service-bus`, `service-bus-control`,
   * `key-vault`, `blob`.
   */
  readonly ports: Readonly<Record<string, number>>;
}

/** Where sites of the other cloud keep their archives on this machine. */
export const BACKUP = { bucket: 'tandem-backup', container: 'backup' } as const;

/** Where objects are on this machine: as a stack would make it, with versions. */
export const OBJECTS = {
  bucket: 'tandem-objects',
  account: 'tandem',
  container: 'objects',
  queue: 'tandem-objects',
} as const;
