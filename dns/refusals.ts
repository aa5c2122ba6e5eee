/** Compares what a policy wants with what a provider says that it supports. Pure. */
import { type Sharing, sharings, type ZoneRecord } from '@tandem-clouds/zone/model';
import type { Capabilities, Provider, Range } from './provider.ts';

const NO_EDGE =
  'has no edge of its own to put in front of a name: CloudFront with a WAF is a feature of the AWS stack ' +
  '(custom.features.cdn), Front Door one of the Azure stack; answer with what they are reached at';

const NO_PATHS =
  'answers for a name as a whole and does not know paths; give the service a name of its own, or take a provider with ' +
  'an edge (cloudflare)';

/** One sentence for each thing that the provider cannot do. */
export function refusals(
  records: readonly ZoneRecord[],
  provider: Pick<Provider, 'capabilities' | 'name'>,
): readonly string[] {
  const { name, capabilities } = provider;
  return records.flatMap((record) => {
    const found = [
      ...(record.edge !== undefined && capabilities.edge !== true ? [NO_EDGE] : []),
      ...outside('the TTL', record.ttlSeconds, capabilities.ttlSeconds),
      ...(record.kind === 'plain'
        ? plain(record.type, capabilities)
        : sharings(record).flatMap((sharing) => routing(sharing, capabilities))),
      ...(record.kind === 'routed' && record.routes && capabilities.paths !== true ? [NO_PATHS] : []),
    ];
    return [...new Set(found)].map((why) => `${record.name} ${record.type}: ${name} ${why}`);
  });
}

function plain(type: ZoneRecord['type'], { recordTypes }: Capabilities): string[] {
  return recordTypes.includes(type)
    ? []
    : [`does not support the type ${type}; it supports ${recordTypes.join(', ')}`];
}

function routing({ strategy, targets }: Sharing, capabilities: Capabilities): string[] {
  const { strategies, targetsMax, weightMax, aliases } = capabilities;
  if (!strategies.includes(strategy)) {
    const supported = strategies.length === 0 ? 'no strategy' : strategies.join(', ');
    return [`does not support the strategy '${strategy}'; it supports ${supported}`];
  }
  const most = targetsMax[strategy] ?? Infinity;
  return [
    ...(targets.length > most ? [`takes at most ${most} sites for ${strategy}, not ${targets.length}`] : []),
    ...targets.flatMap(({ weight, alias, check }) => [
      ...(alias !== undefined && !aliases ? ['has no aliases'] : []),
      ...(weight === undefined ? [] : outside('the weight', weight, { min: 0, max: weightMax })),
      ...(check === undefined
        ? []
        : [
            ...outside('the check interval', check.intervalSeconds, capabilities.checkIntervalSeconds),
            ...outside('the failure threshold', check.failureThreshold, capabilities.failureThreshold),
          ]),
    ]),
  ];
}

function outside(what: string, value: number, allowed: Range | readonly number[]): string[] {
  if ('min' in allowed) {
    const { min, max } = allowed;
    return value < min || value > max ? [`takes ${min} to ${max} for ${what}, not ${value}`] : [];
  }
  return allowed.includes(value) ? [] : [`takes ${allowed.join(' or ')} for ${what}, not ${value}`];
}
