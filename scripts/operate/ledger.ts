/** `tandem ledger`: the shop's books beside what its payment provider says, what stands in them, and all of them as CSV. */
import fs from 'node:fs';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { prepareFile, writeWhole } from '@tandem-clouds/command-line/write-file';
import { findSite, findTargets, TargetError } from '@tandem-clouds/operator/targets';
import { csvOf, type LedgerLine } from '../../src/shared/domain/ledger/ledger.ts';
import { providers } from '../../src/shared/domain/ledger/movement.ts';
import { decimalOf, digitsOf } from '../../src/shared/money.ts';
import type { LedgerOptions } from './options.ts';
import { ShopApi } from './shop-api.ts';

const SCOPE = 'shop/ledger';

interface Difference {
  readonly kind: string;
  readonly entryId?: string;
  readonly entryIds?: readonly string[];
  readonly key?: string;
  readonly account?: string;
  readonly amountHere?: number;
  readonly amountThere?: number;
  readonly here?: string;
  readonly there?: string;
  readonly where?: string;
  readonly times?: number;
}

interface Reconciled {
  readonly provider: string;
  readonly from: string;
  readonly until: string;
  readonly completeUntil: string;
  readonly movements: number;
  readonly written: number;
  readonly differences: readonly Difference[];
  readonly cursor?: string;
}

interface Balanced {
  readonly accounts: readonly {
    readonly currency: string;
    readonly account: string;
    readonly amountMinor: number;
  }[];
  readonly movements: number;
  readonly unbalanced: readonly string[];
  readonly cursor?: string;
}

interface Lines {
  readonly lines: readonly (Omit<LedgerLine, 'key'> & { readonly key?: string })[];
  readonly cursor?: string;
}

/** Returns the exit status: 1 when the books differ from the provider, or do not balance. @throws TargetError */
export async function ledger(options: LedgerOptions, context: CommandContext): Promise<number> {
  // The books are the same at every site.
  const target = options.at === undefined ? findTargets(options)[0] : await findSite(options, options.at);
  if (target === undefined) throw new TargetError('there is no site to ask');
  const api = await ShopApi.open(target, { options, scope: SCOPE, context });
  switch (options.action) {
    case 'reconcile':
      return reconcile(api, options, context);
    case 'balance':
      return balance(api, options, context);
    case 'export':
      return exportLines(api, options, context);
  }
}

async function reconcile(
  api: ShopApi,
  { from, to, json }: LedgerOptions,
  { out, err }: CommandContext,
): Promise<number> {
  let cursor: string | undefined;
  let [movements, written, differing] = [0, 0, 0];
  let last: Reconciled;
  do {
    last = (await api.query('POST', '/ledger/reconcile', { from, to, cursor })) as Reconciled;
    ({ cursor } = last);
    movements += last.movements;
    written += last.written;
    differing += last.differences.length;
    for (const found of last.differences) out(json ? `${JSON.stringify(found)}\n` : `${sentenceOf(found)}\n`);
    if (!json && cursor !== undefined)
      err(`until ${last.until}: ${movements} movements, ${written} written\n`);
  } while (cursor !== undefined);
  const { provider, until, completeUntil } = last;
  if (json)
    out(`${JSON.stringify({ provider, from, until, completeUntil, movements, written, differing })}\n`);
  else
    out(
      `${provider}, ${from} until ${until}: ${movements} movements, ${written} of them written now; ${differing === 0 ? 'no difference' : differing === 1 ? '1 difference' : `${differing} differences`}.\n`,
    );
  return differing === 0 ? 0 : 1;
}

/** A difference, as a person would say it. */
function sentenceOf(found: Difference): string {
  const { kind, entryId = '', entryIds = [], key = '', account = '' } = found;
  switch (kind) {
    case 'missing here':
      return `${entryId}: the provider has moved it, and it is not in the books`;
    case 'missing there':
      return `${entryId}: in the books, and the provider knows nothing of it`;
    case 'other amount':
      return `${entryId}: ${account} is ${found.amountHere} in the books, and ${found.amountThere} by the provider`;
    case 'other currency':
    case 'other order':
      return `${entryId}: ${kind}, ${found.here ?? 'none'} in the books and ${found.there ?? 'none'} by the provider`;
    case 'doubled':
      return `${entryId}: ${found.times} times ${found.where === 'here' ? 'in the books' : 'in the provider’s list'}`;
    case 'charged twice':
      return `${key}: charged ${entryIds.length} times, by ${entryIds.join(' and ')}`;
    default:
      return JSON.stringify(found);
  }
}

async function balance(api: ShopApi, options: LedgerOptions, { out }: CommandContext): Promise<number> {
  const unbalanced: string[] = [];
  for (const provider of options.provider === undefined ? providers : [options.provider]) {
    const sums = new Map<string, number>();
    let [movements, cursor] = [0, undefined as string | undefined];
    do {
      const page = (await api.query(
        'GET',
        '/ledger/balance',
        queryOf(options, provider, cursor),
      )) as Balanced;
      for (const { currency, account, amountMinor } of page.accounts) {
        const name = `${currency} ${account}`;
        sums.set(name, (sums.get(name) ?? 0) + amountMinor);
      }
      movements += page.movements;
      unbalanced.push(...page.unbalanced);
      ({ cursor } = page);
    } while (cursor !== undefined);
    if (movements === 0 && options.provider === undefined) continue;
    const accounts = [...sums].map(([name, amountMinor]) => {
      const [currency = '', account = ''] = name.split(' ');
      return { currency, account, amountMinor };
    });
    if (options.json) out(`${JSON.stringify({ provider, movements, accounts })}\n`);
    else {
      out(`${provider}: ${movements} movements\n`);
      for (const { currency, account, amountMinor } of accounts)
        out(
          `  ${account.padEnd(10)}${decimalOf(amountMinor, digitsOf(currency)).padStart(16)} ${currency}\n`,
        );
    }
  }
  for (const one of unbalanced) out(`${one}: its lines do not add up to zero\n`);
  return unbalanced.length === 0 ? 0 : 1;
}

async function exportLines(
  api: ShopApi,
  options: LedgerOptions,
  { out, err }: CommandContext,
): Promise<number> {
  const { output, json } = options;
  if (output !== undefined) prepareFile(output);
  const fd = output === undefined ? undefined : fs.openSync(output, 'w');
  let [count, isBegun] = [0, false];
  const write = (text: string): void => {
    if (fd === undefined) out(text);
    else writeWhole(fd, Buffer.from(text));
  };
  try {
    for (const provider of options.provider === undefined ? providers : [options.provider]) {
      let cursor: string | undefined;
      do {
        const page = (await api.query('GET', '/ledger/lines', queryOf(options, provider, cursor))) as Lines;
        const lines = page.lines.map(({ key = null, ...line }): LedgerLine => ({ ...line, key }));
        const [header = '', ...rows] = csvOf(lines);
        if (json) write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        else write([...(isBegun ? [] : [header]), ...rows].join(''));
        isBegun = true;
        count += lines.length;
        ({ cursor } = page);
        if (fd !== undefined && cursor !== undefined) err(`${count} lines\n`);
      } while (cursor !== undefined);
    }
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
  if (output !== undefined) err(`${count} lines are in ${output}\n`);
  return 0;
}

function queryOf(
  { from, to }: LedgerOptions,
  provider: string,
  cursor: string | undefined,
): Readonly<Record<string, string | undefined>> {
  return { provider, from, to, cursor };
}
