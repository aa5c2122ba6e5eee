/** Compares what a policy wants with what a provider says that it supports. Pure. */
import type { RoutedRecord, ZoneRecord } from './model.ts';
import type { Capabilities, Provider, Range } from './provider.ts';

const NO_EDGE =
  'has no network of its own to put in front of a name: CloudFront with a WAF is a feature of the AWS stack ' +
  '(custom.features.cloudfront), Front Door one of the Azure stack; answer with what they are reached at';

/** One sentence for each thing that the provider cannot do. */
export function refusals(records: readonly ZoneRecord[], provider: Provider): readonly string[] {
  const { name, capabilities } = provider;
  return records.flatMap((record) => {
    const found = [
      ...(record.edge !== undefined && capabilities.edge !== true ? [NO_EDGE] : []),
      ...outside('the TTL', record.ttlSeconds, capabilities.ttlSeconds),
      ...(record.kind === 'routed' ? routing(record, capabilities) : plain(record.type, capabilities)),
    ];
    return [...new Set(found)].map((why) => `${record.name} ${record.type}: ${name} ${why}`);
  });
}

function plain(type: ZoneRecord['type'], { recordTypes }: Capabilities): string[] {
  return recordTypes.includes(type)
    ? []
    : [`does not support the type ${type}; it supports ${recordTypes.join(', ')}`];
}

function routing(record: RoutedRecord, capabilities: Capabilities): string[] {
  const { strategies, targetsMax, weightMax, aliases } = capabilities;
  const { strategy, targets } = record;
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
