/** What can go wrong with traffic, one class per meaning. The message is for the operator and says what to do. */
import { CommandError } from '@tandem-clouds/command-line/command-error';

/** Everything that a command reports as a message and not as a stack. */
export class TrafficError extends CommandError {
  override readonly name: string = 'TrafficError';
}

/** The policy is not valid; one line per mistake. */
export class PolicyError extends TrafficError {
  override readonly name = 'PolicyError';
  readonly mistakes: readonly PolicyMistake[];

  constructor(file: string, mistakes: readonly PolicyMistake[]) {
    super(
      [
        `${file}: ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}`,
        ...mistakes.map(
          ({ line, pointer, rule, detail, hint }) =>
            `  line ${line}: ${pointer || '/'}: ${detail} (${rule})${hint === undefined ? '' : `; ${hint}`}`,
        ),
      ].join('\n'),
    );
    this.mistakes = mistakes;
  }
}

export interface PolicyMistake {
  /** Counted from 1. */
  readonly line: number;
  /** JSON Pointer (RFC 6901). */
  readonly pointer: string;
  readonly rule: string;
  readonly detail: string;
  /** What would be right, where that is known. */
  readonly hint?: string;
}

/** A guard said no, or somebody else holds the zone; nothing was changed. */
export class RefusedError extends TrafficError {
  override readonly name: string = 'RefusedError';
}

/** Somebody else holds the zone, for now. */
export class LockedError extends RefusedError {
  override readonly name = 'LockedError';
}

/** What a provider's answer meant. */
export type ProviderFault = 'credentials' | 'limit' | 'not-found' | 'rejected' | 'throttled' | 'unavailable';

/** The provider could not be asked, or said no. */
export class ProviderError extends TrafficError {
  override readonly name = 'ProviderError';
  readonly fault: ProviderFault;

  constructor(fault: ProviderFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Some changes happened and some did not; the message says which state the zone is in. */
export class HalfAppliedError extends TrafficError {
  override readonly name = 'HalfAppliedError';
}
