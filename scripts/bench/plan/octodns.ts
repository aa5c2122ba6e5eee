/** octoDNS on Python: the same names as its YAML provider holds them, as the policy and as the live zone. */
import fs from 'node:fs';
import path from 'node:path';
import { pythonWith } from '@tandem-clouds/testkit/peers/python';
import { SITES, WEIGHTS, ZONE } from './fixture.ts';

/** Where it was installed. @throws Unavailable when it cannot run here. */
export function octoDnsSync(): string {
  return path.join(pythonWith('octodns', ['octodns==1.22.0']), 'octodns-sync');
}

/** Returns the arguments of a plan. */
export function octoDnsPlan(
  dir: string,
  wanted: readonly string[],
  live: readonly string[],
): readonly string[] {
  const config = path.join(dir, 'octodns.yaml');
  const provider = (name: string): string => {
    const directory = path.join(dir, name);
    fs.mkdirSync(directory, { recursive: true });
    return `  ${name}: { class: octodns.provider.yaml.YamlProvider, directory: ${directory}, enforce_order: false }\n`;
  };
  fs.writeFileSync(
    config,
    `providers:\n${provider('wanted')}${provider('live')}` +
      `zones:\n  ${ZONE}.: { sources: [wanted], targets: [live] }\n`,
  );
  fs.writeFileSync(path.join(dir, 'wanted', `${ZONE}.yaml`), `---\n${wanted.map(recordOf).join('')}`);
  fs.writeFileSync(path.join(dir, 'live', `${ZONE}.yaml`), `---\n${live.map(recordOf).join('')}`);
  return ['--config-file', config, '--quiet'];
}

function recordOf(name: string): string {
  const values = SITES.map(({ host }, index) => `{ value: ${host}., weight: ${WEIGHTS[index] ?? 0} }`);
  return (
    `${name}:\n  type: CNAME\n  ttl: 30\n  value: ${SITES[0].host}.\n` +
    `  dynamic: { pools: { all: { values: [${values.join(', ')}] } }, rules: [{ pool: all }] }\n`
  );
}
