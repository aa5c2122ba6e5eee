/** The calls that were made through the proxies, and which of them the packaged rights allow. */
export interface RightsCall {
  /** Role or identity that made it. */
  readonly who: string;
  /** Of the cloud's policies: `dynamodb:GetItem`, `…/items/read`. */
  readonly action: string;
  /** ARN, id or name. */
  readonly resource: string;
}

/** Decides about calls and remembers them. */
export class RightsBook {
  readonly #isAllowed: (call: RightsCall) => boolean;
  readonly #made = new Map<string, RightsCall>();
  readonly #denied = new Set<string>();

  constructor(isAllowed: (call: RightsCall) => boolean) {
    this.#isAllowed = isAllowed;
  }

  /** Every call that was made, once. */
  get made(): readonly RightsCall[] {
    return [...this.#made.values()];
  }

  /** Those that were refused: `who action resource`. */
  get denied(): readonly string[] {
    return [...this.#denied].sort();
  }

  /** Undefined when all are allowed; else the first that is not. */
  refuse(calls: readonly RightsCall[]): RightsCall | undefined {
    const refused = calls.filter((call) => {
      const text = `${call.who} ${call.action} ${call.resource}`;
      this.#made.set(text, call);
      const allowed = this.#isAllowed(call);
      if (!allowed) this.#denied.add(text);
      return !allowed;
    });
    return refused[0];
  }
}
