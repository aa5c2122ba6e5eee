/**
 * The rooms of the house, and which others each of them may import. `npm run lint` holds every import to it, and
 * tests/structure.test.ts that there is no circle and that docs/architecture.md draws it.
 *
 * A file belongs to the room with the longest name that its path begins with. A room may import itself and what is named
 * for it, nothing else. Types count too.
 */

const PROTOCOL = ['packages/replication'];
const BASE = [...PROTOCOL, 'src/shared'];
const CONFIG = [...BASE, 'src/shared/validation', 'src/shared/config'];
const PORTS = [...CONFIG, 'src/shared/ports'];
const CLOUDS = ['src/shared/adapters', 'src/shared/adapters/aws', 'src/shared/adapters/azure'];
/** What `#cloud` is, and the probes that it hands out: composition roots of one cloud, which know its peers too. */
const CLOUD_ROOTS = ['aws', 'azure'].flatMap((cloud) =>
  ['cloud.ts', 'probes.ts'].map((file) => `src/shared/adapters/${cloud}/${file}`),
);
const ADAPTERS = [...CLOUDS, 'src/shared/adapters/peers', ...CLOUD_ROOTS];
const APPLICATION = [
  ...PORTS,
  'src/shared/generated',
  'src/shared/domain',
  'src/shared/objects',
  'src/shared/backup',
  'src/shared/operations',
  'src/shared/http',
  'src/shared/entities',
  'src/shared/routes',
  'src/shared/registry',
];
const SERVICE = [
  ...APPLICATION,
  ...ADAPTERS,
  'src/shared/runtime.ts',
  'src/shared/open-services.ts',
  'src/shared/open-secrets.ts',
  'src/shared/open-content.ts',
  'src/shared/open-payments.ts',
  'src/shared/open-images.ts',
  'src/shared/open-mail.ts',
  'src/shared/open-sms.ts',
  'src/shared/open-sql.ts',
  'src/shared/open-cdn.ts',
  'src/shared/serve-entity.ts',
  'src/shared/serve-routes.ts',
];

const TOOLS = ['packages/command-line', 'packages/zone', 'packages/emulators'];
const DNS = ['dns', 'dns/policy', 'dns/plan', 'dns/providers', 'dns/shift', 'dns/monitor', 'dns/command'];
const LOCAL = [...TOOLS, ...DNS, ...SERVICE, 'infra', 'packages/storefront', 'packages/local'];
/** What simulator, chaos and drills share, from the bottom to the top: each may import what is before it. */
const SHARED_KIT = ['history', 'cluster', 'checkers', 'load', 'observe'].map(
  (name) => `packages/testkit/src/${name}`,
);
const BELOW_KIT = [
  ...LOCAL,
  'packages/client',
  'infra/rollout',
  'packages/testkit',
  'packages/testkit/src/report',
];
const KIT = [...BELOW_KIT, ...SHARED_KIT];
const NEIGHBOURS = ['peers', 'simulator', 'chaos', 'drill'].map((name) => `packages/testkit/src/${name}`);

/** Room by path; the order is from the bottom to the top. */
export const ROOMS = {
  // The protocol, and the little that every command and every zone has.
  'packages/replication': [],
  'packages/command-line': [],
  'packages/zone': [],
  // What calls the product: it knows the contract, by generated types, and nothing else.
  'packages/client': [],
  // The page that people see, and what builds it.
  'packages/storefront': ['packages/client'],

  // What runs in both clouds.
  'src/shared': PROTOCOL,
  'src/shared/generated': [],
  'src/shared/validation': [...BASE, 'src/shared/generated'],
  'src/shared/config': [...BASE, 'src/shared/generated', 'src/shared/validation'],
  'src/shared/ports': CONFIG,
  'src/shared/domain': PORTS,
  // One file an entity, and one for routes beside them; the registry is written from both.
  'src/shared/entities': [...PROTOCOL, 'src/shared', 'src/shared/domain'],
  'src/shared/routes': [...PROTOCOL, 'src/shared', 'src/shared/domain'],
  'src/shared/registry': ['src/shared/domain', 'src/shared/entities', 'src/shared/routes'],
  'src/shared/operations': [...PORTS, 'src/shared/domain'],
  'src/shared/http': [...PORTS, 'src/shared/generated', 'src/shared/domain', 'src/shared/operations'],
  'src/shared/objects': [...PORTS, 'src/shared/domain'],
  // The archive of a site: its format, and what writes and reads it.
  'src/shared/backup': PORTS,
  'src/shared/adapters': PORTS,
  'src/shared/adapters/aws': [...PORTS, 'src/shared/adapters'],
  'src/shared/adapters/azure': [...PORTS, 'src/shared/adapters'],
  'src/shared/adapters/peers': [...PORTS, ...CLOUDS],
  ...Object.fromEntries(
    CLOUD_ROOTS.map((root) => [
      root,
      [...PORTS, ...CLOUDS, 'src/shared/adapters/peers', root.replace('cloud.ts', 'probes.ts')],
    ]),
  ),
  'src/shared/runtime.ts': [...APPLICATION, 'src/shared/adapters', 'src/shared/open-record-cache.ts'],
  'src/shared/open-secrets.ts': [...PORTS, 'src/shared/adapters', 'src/shared/runtime.ts'],
  'src/shared/open-services.ts': [
    ...APPLICATION,
    'src/shared/adapters',
    'src/shared/open-secrets.ts',
    'src/shared/runtime.ts',
  ],
  'src/shared/open-content.ts': [...APPLICATION, ...ADAPTERS, 'src/shared/runtime.ts'],
  'src/shared/open-payments.ts': [...APPLICATION, 'src/shared/adapters', 'src/shared/runtime.ts'],
  'src/shared/open-images.ts': [...PORTS, 'src/shared/adapters'],
  'src/shared/open-mail.ts': [...APPLICATION, 'src/shared/adapters', 'src/shared/runtime.ts'],
  'src/shared/open-sms.ts': [...APPLICATION, ...ADAPTERS, 'src/shared/runtime.ts'],
  'src/shared/open-record-cache.ts': [...APPLICATION, 'src/shared/adapters'],
  'src/shared/open-cdn.ts': [...APPLICATION, ...ADAPTERS, 'src/shared/runtime.ts'],
  'src/shared/open-sql.ts': [...APPLICATION, ...ADAPTERS, 'src/shared/runtime.ts'],
  'src/shared/serve-entity.ts': [...APPLICATION, 'src/shared/adapters', 'src/shared/runtime.ts'],
  'src/shared/serve-routes.ts': [
    ...APPLICATION,
    ...[
      'src/shared/adapters',
      'src/shared/runtime.ts',
      'src/shared/open-services.ts',
      'src/shared/serve-entity.ts',
    ],
  ],
  'src/handlers': SERVICE,
  'src/bridge': SERVICE,

  // Servers that stand in for cloud services: they know nothing of what is tested with them.
  'packages/emulators': ['packages/command-line', 'packages/zone'],

  // Traffic is independent of the application.
  dns: TOOLS,
  'dns/policy': [...TOOLS, 'dns'],
  'dns/plan': [...TOOLS, 'dns', 'dns/policy'],
  'dns/providers': [...TOOLS, 'dns', 'dns/policy'],
  'dns/shift': [...TOOLS, 'dns', 'dns/policy', 'dns/plan'],
  'dns/monitor': [...TOOLS, 'dns', 'dns/policy', 'dns/plan', 'dns/providers', 'dns/shift'],
  'dns/command': [...TOOLS, ...DNS],

  // How it gets to the clouds, and both clouds on one laptop.
  infra: ['packages/command-line'],
  'packages/local': LOCAL,
  // What asks running sites, for commands and for the console; the console is started by its path.
  'packages/operator': LOCAL,
  'packages/console': [...LOCAL, 'packages/client', 'packages/operator'],
  'infra/serverless': LOCAL,
  'infra/rollout': LOCAL,

  // What proves it: simulator, chaos and drills are neighbours that know nothing of each other.
  'packages/testkit': [...LOCAL, 'packages/client'],
  'packages/testkit/src/report': ['packages/command-line'],
  ...Object.fromEntries(SHARED_KIT.map((room, at) => [room, [...BELOW_KIT, ...SHARED_KIT.slice(0, at)]])),
  ...Object.fromEntries(NEIGHBOURS.map((room) => [room, KIT])),

  // Commands know everything, and tests know the commands.
  scripts: [...KIT, ...NEIGHBOURS, 'infra/serverless', 'packages/operator', 'packages/console'],
};

const NAMES = Object.keys(ROOMS).sort((a, b) => b.length - a.length);

/** Tests, those of a package among them, may import everything, and nothing imports them. */
const TESTS = /^(?:packages\/[^/]+\/)?(?:tests|examples)\//;

/** @param {string} file From the root, with `/`. @returns {boolean} */
export const isTest = (file) => TESTS.test(file);

/** @param {string} file From the root, with `/`. @returns {string | undefined} Undefined: no room, such as `tests`. */
export function roomOf(file) {
  if (isTest(file)) return undefined;
  return NAMES.find((name) => file === name || file.startsWith(`${name}/`));
}
