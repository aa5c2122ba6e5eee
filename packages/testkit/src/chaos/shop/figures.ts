/** A run's result as figures with their aims. */
import { type Figure, figure } from '../../report/report.ts';
import {
  APART,
  CHARGED_TWICE,
  COUNTED,
  MONEY,
  OPEN,
  OVERSOLD,
  STOCK,
  TOO_SHORT,
  UNBACKED,
  UNNAMED,
} from './books.ts';
import type { ShopChaosResult } from './run.ts';

const NONE = { exactly: 0 } as const;

/** @param attempts The number of orders that was aimed at, at both sites together. */
export function shopFiguresOf(result: ShopChaosResult, attempts: number): Figure[] {
  const { placed, findings, rest, restedMs, refused, trafficMs, injectedFaults, compared } = result;
  const count = (invariant: string): number =>
    findings.filter((finding) => finding.invariant === invariant).length;
  const [orders = new Map()] = rest?.orders.values() ?? [];
  const by = Map.groupBy(
    [...orders.values()] as { status: string; reason?: string }[],
    ({ status, reason }) => (reason === undefined ? status : `${status}, ${reason}`),
  );
  const sold = [...(rest?.stock.values() ?? [])].flat().reduce((sum, share) => sum + share.sold, 0);
  const brought = [...(rest?.received.values() ?? [])].reduce((sum, each) => sum + each, 0);
  return [
    figure('order attempts', placed.length, '', { atLeast: attempts }),
    figure('acknowledged', placed.filter(({ id }) => id !== undefined).length, ''),
    figure('pieces there were', brought, ''),
    figure('pieces sold', sold, ''),
    ...[OVERSOLD, CHARGED_TWICE, UNBACKED, MONEY, STOCK, OPEN, APART, UNNAMED, COUNTED, TOO_SHORT].map(
      (invariant) => figure(invariant, count(invariant), '', NONE),
    ),
    figure(
      'minutes whose counts were compared',
      [...(rest?.counted.values() ?? [])].reduce((sum, points) => sum + points.length, 0),
      '',
    ),
    figure('rejections as short that were compared with the stock of all sites', compared, ''),
    ...[...by]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([end, all]) => figure(`orders ${end}`, all.length, '')),
    ...[...refused].map(([code, times]) => figure(`requests refused: ${code}`, times, '')),
    ...(restedMs === undefined
      ? []
      : [figure('time until every order had ended after healing', restedMs / 1_000, 's')]),
    figure('time of traffic', trafficMs / 1_000, 's'),
    ...[...injectedFaults.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => figure(what, times, '')),
  ];
}
