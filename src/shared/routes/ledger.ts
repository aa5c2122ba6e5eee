import { ledgerMovementsMax } from '../bounds.ts';
import { keepBooks, type Place, timeOf } from '../domain/ledger/keep-books.ts';
import { balance, type LedgerLine, unbalanced } from '../domain/ledger/ledger.ts';
import { accounts, BOOK, kinds, linesIn, type Movement, providers } from '../domain/ledger/movement.ts';
import type { Difference } from '../domain/ledger/reconcile.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';
import type { ReadableRecords, RecordPage } from '../domain/routes/route-records.ts';
import { RuleError } from '../domain/rule-error.ts';

const time = { type: 'string', format: 'date-time', maxLength: 40 } as const;
const count = { type: 'integer', minimum: 0 } as const;
const amount = { type: 'integer' } as const;
const text = { type: 'string' } as const;
const account = { type: 'string', enum: accounts } as const;
const PAGE = 100;

/** The shop's books, which are what its payment provider has moved (docs/payments.md). */
export const ledger = defineRoutes({
  name: 'ledger',
  description: 'The shop’s books, which are what its payment provider has moved',
  uses: { payments: true, records: { movement: 'write' }, actsForAnybody: true },
  operations: {
    reconcileLedger: {
      method: 'POST',
      path: '/ledger/reconcile',
      summary: 'Write what the provider has moved and the books lack, and name every other difference',
      access: { scope: 'shop/ledger' },
      input: { from: time, to: time, cursor: { type: 'string', pattern: '^[0-9]{1,15}-[0-9]{1,15}$' } },
      required: ['from', 'to'],
      output: {
        provider: { type: 'string', enum: providers },
        from: time,
        until: time,
        completeUntil: time,
        movements: count,
        written: count,
        differences: {
          type: 'array',
          items: {
            type: 'object',
            required: ['kind'],
            additionalProperties: false,
            properties: {
              kind: text,
              entryId: text,
              entryIds: { type: 'array', items: text },
              key: text,
              account: text,
              amountHere: amount,
              amountThere: amount,
              here: text,
              there: text,
              where: text,
              times: count,
            },
          },
        },
        cursor: { ...text, optional: true },
      },
      errors: { empty_time: { title: 'There is no time from one to the other', status: 400 } },
      async handle({ input }, { payments: gateway, records }) {
        const [fromMs, toMs] = [Date.parse(input.from), Date.parse(input.to)];
        const at = placeIn(input.cursor);
        if (!((at?.atMs ?? fromMs) < toMs)) throw new RuleError('empty_time');
        const movements = records.movement.actingFor({ tenant: BOOK });
        const kept = await keepBooks({ gateway, movements, fromMs, toMs, at });
        return {
          provider: gateway.name,
          from: isoOf(kept.fromMs),
          until: isoOf(kept.untilMs),
          completeUntil: isoOf(kept.completeUntilMs),
          movements: kept.movements,
          written: kept.written,
          differences: kept.differences.map(shown),
          cursor: kept.next && `${kept.next.atMs}-${kept.next.spanMs}`,
        };
      },
    },
    readLedgerBalance: {
      method: 'GET',
      path: '/ledger/balance',
      summary: 'What stands in each account, by currency',
      access: { scope: 'shop/ledger' },
      input: { provider: { type: 'string', enum: providers }, from: time, to: time, cursor: text },
      required: ['provider'],
      output: {
        accounts: {
          type: 'array',
          items: {
            type: 'object',
            required: ['currency', 'account', 'amountMinor'],
            additionalProperties: false,
            properties: { currency: text, account, amountMinor: amount },
          },
        },
        movements: count,
        balances: { type: 'boolean' },
        unbalanced: { type: 'array', items: text },
        cursor: { ...text, optional: true },
      },
      async handle({ input }, { records }) {
        const lines: LedgerLine[] = [];
        let [movements, cursor] = [0, input.cursor];
        do {
          const page = await pageOf(records.movement.actingFor({ tenant: BOOK }), { ...input, cursor });
          lines.push(...linesOfPage(page));
          movements += page.items.length;
          ({ cursor } = page);
        } while (cursor !== undefined && movements < ledgerMovementsMax);
        const wrong = unbalanced(lines);
        return {
          accounts: Object.entries(balance(lines)).flatMap(([currency, amounts]) =>
            accounts.flatMap((one) => {
              const amountMinor = amounts[one];
              return amountMinor === undefined ? [] : [{ currency, account: one, amountMinor }];
            }),
          ),
          movements,
          balances: wrong.length === 0,
          unbalanced: wrong,
          cursor,
        };
      },
    },
    listLedgerLines: {
      method: 'GET',
      path: '/ledger/lines',
      summary: 'The lines of the books, in the order of time',
      access: { scope: 'shop/ledger' },
      input: { provider: { type: 'string', enum: providers }, from: time, to: time, cursor: text },
      required: ['provider'],
      output: {
        lines: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'provider', 'entryId', 'kind', 'account', 'amountMinor', 'currency', 'atMs'],
            additionalProperties: false,
            properties: {
              ...{ id: text, provider: { type: 'string', enum: providers }, entryId: text, key: text },
              ...{ kind: { type: 'string', enum: kinds }, account, amountMinor: amount, currency: text },
              atMs: count,
            },
          },
        },
        cursor: { ...text, optional: true },
      },
      async handle({ input }, { records }) {
        const page = await pageOf(records.movement.actingFor({ tenant: BOOK }), input);
        const lines = linesOfPage(page).map(({ key, ...line }) => ({
          ...line,
          ...(key !== null && { key }),
        }));
        return { lines, cursor: page.cursor };
      },
    },
  },
});

interface Asked {
  readonly provider: (typeof providers)[number];
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly cursor?: string | undefined;
}

/** One page of the movements of a provider in a time. */
async function pageOf(
  movements: Pick<ReadableRecords, 'list'>,
  { provider, from, to, cursor }: Asked,
): Promise<RecordPage> {
  const [fromMs, toMs] = [
    from === undefined ? 0 : Date.parse(from),
    to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to),
  ];
  return await movements.list({ where: timeOf(provider, fromMs, toMs), limit: PAGE, cursor });
}

function linesOfPage({ items }: RecordPage): readonly LedgerLine[] {
  return items.flatMap((one) => linesIn(one as unknown as Movement));
}

function placeIn(cursor: string | undefined): Place | undefined {
  const [atMs, spanMs] = (cursor ?? '').split('-').map(Number);
  return atMs === undefined || spanMs === undefined ? undefined : { atMs, spanMs };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** A difference as it is answered: amounts and texts apart, and nothing that says null. */
function shown(found: Difference): Readonly<Record<string, string | number | readonly string[]>> {
  switch (found.kind) {
    case 'missing here':
    case 'missing there':
      return { kind: found.kind, entryId: found.entryId };
    case 'other amount': {
      const { kind, entryId, account: where, here, there } = found;
      return { kind, entryId, account: where, amountHere: here, amountThere: there };
    }
    case 'other currency':
      return found;
    case 'other order': {
      const { kind, entryId, here, there } = found;
      return { kind, entryId, ...(here !== null && { here }), ...(there !== null && { there }) };
    }
    case 'doubled':
    case 'charged twice':
      return found;
  }
}
