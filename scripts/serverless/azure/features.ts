/**
 * The flags of `custom.features`, as they were asked for.
 *
 * Invariant: a flag that is misspelt, has another value than true or false, or lacks what it needs, ends the packaging
 * with all mistakes named. A site without the firewall that somebody thought to have asked for would be worse.
 */
import { own } from '../../command/own.ts';

interface Asked {
  /** `custom.features` of the service. */
  readonly features: Readonly<Record<string, unknown>>;
  /** Each `--param` of the command line, `name=value`. */
  readonly params: readonly string[];
  /** Values of the template's parameters. */
  readonly parameters: Readonly<Record<string, { readonly value: unknown }>>;
}

/** What a flag needs besides itself: another flag, or values of parameters. */
const NEEDS: Readonly<Record<string, { readonly flag?: string; readonly values?: readonly string[] }>> = {
  waf: { flag: 'cdn' },
  customDomain: { flag: 'cdn', values: ['domain'] },
  secondRegion: { values: ['secondRegionApp', 'secondRegionGroup'] },
};

/** @throws Error naming every mistake. */
export function checkFeatures({ features, params, parameters }: Asked): void {
  const known = Object.keys(features);
  const isOn = (flag: string): boolean => String(features[flag]) === 'true';
  const asked = params.flatMap((text) => /^features\.([^=]+)=/.exec(text)?.[1] ?? []);
  const mistakes = [
    ...asked.filter((flag) => !known.includes(flag)).map((flag) => `${flag} is none of ${known.join(', ')}`),
    ...known
      .filter((flag) => !['true', 'false'].includes(String(features[flag])))
      .map((flag) => `${flag} is true or false, not '${String(features[flag])}'`),
    ...known.filter(isOn).flatMap((flag) => {
      const { flag: other, values = [] } = own(NEEDS, flag) ?? {};
      return [
        ...(other !== undefined && !isOn(other) ? [`${flag} needs ${other}`] : []),
        ...values
          .filter((name) => !own(parameters, name)?.value)
          .map((name) => `${flag} needs --param "${name}=…"`),
      ];
    }),
  ];
  if (mistakes.length > 0) throw new Error(`features: ${mistakes.join('; ')}`);
}
