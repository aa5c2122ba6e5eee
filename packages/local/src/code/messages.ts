/** What the supervisor of `npm start` and the functions' processes of a site send each other about the code. */
import type { ResolvedDefinition } from './definition.ts';

/** The code that a site shall serve from now on. */
export interface Code {
  /** Counts the builds of this run. */
  readonly generation: number;
  /** Folder of the bundle; absolute. */
  readonly appDir: string;
  readonly definition: ResolvedDefinition;
}

export interface CodeMessage {
  readonly type: 'code';
  readonly code: Code;
}

/** Sent when the site serves it, or goes on with what it had. */
export interface CodeTaken {
  readonly type: 'code-taken';
  readonly generation: number;
  /** Why it was not taken. */
  readonly problem?: string;
}

export function isCodeMessage(message: unknown): message is CodeMessage {
  return (message as Partial<CodeMessage> | null)?.type === 'code';
}

export function isCodeTaken(message: unknown): message is CodeTaken {
  return (message as Partial<CodeTaken> | null)?.type === 'code-taken';
}
