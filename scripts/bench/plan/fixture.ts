/** The zone that is planned: weighted names of two sites, of which one is new. */
export const ZONE = 'example.com';
export const SITES = [
  { site: 'aws-us-east-1', host: 'a.example.net' },
  { site: 'azure-eastus', host: 'b.example.net' },
] as const;
export const WEIGHTS: readonly number[] = [50, 50];

export function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_name, index) => `api${index}`);
}

/** A policy of these names. */
export function policyOf(names: readonly string[]): string {
  const sites = SITES.map(
    ({ site, host }, index) =>
      `  ${site}: { endpoint: { cname: ${host} }, weight: ${WEIGHTS[index] ?? 0} }\n`,
  );
  const list = SITES.map(({ site }) => site).join(', ');
  return (
    `zone: ${ZONE}\nprovider: local\nttlSeconds: 30\nhealthCheck: false\nsites:\n${sites.join('')}` +
    `names:\n${names.map((name) => `  - { name: ${name}, strategy: weighted, sites: [${list}] }\n`).join('')}`
  );
}
