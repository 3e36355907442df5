/**
 * The arrows of ARCHITECTURE.md: who may import whom. `scripts/check-arrows.ts` runs this over `src`, `bench`, `scripts` and
 * `test/support`, and fails when it read no module. `test/unit/docs/architecture.test.ts` compares it with the table of the page.
 */

/** What each room may import beside itself: folders of `src` and single files. An arrow that is not here is refused. */
const arrows = {
  core: [],
  files: ['core/'],
  names: ['core/'],
  config: ['core/', 'discovery/backends.ts', 'discovery/registries.ts', 'discovery/service-directory.ts', 'files/'],
  logging: ['core/'],
  balancing: ['core/'],
  etcd: ['core/', 'files/'],
  discovery: ['core/', 'etcd/', 'files/', 'names/resolv-conf.ts', 'names/system-files.ts'],
  identity: ['core/', 'files/'],
  registrar: ['core/', 'etcd/', 'files/'],
  transport: ['core/', 'identity/material.ts'],
  health: ['core/'],
  proxy: ['core/', 'balancing/', 'discovery/source.ts', 'health/', 'transport/engine.ts'],
  admin: [
    'core/',
    'names/lookup.ts',
    'names/system-resolver.ts',
    'transport/listen-all.ts',
    'transport/stale-socket.ts',
  ],
  app: [
    'core/',
    'config/',
    'names/',
    'balancing/',
    'discovery/',
    'files/',
    'identity/',
    'registrar/',
    'transport/',
    'proxy/',
    'admin/',
    'logging/',
  ],
};

const pattern = (path) => `^src/${path.replaceAll('.', '[.]')}${path.endsWith('/') ? '' : '$'}`;

const roomRule = ([room, targets]) => ({
  name: `${room}-imports-what-the-page-says`,
  severity: 'error',
  comment: `${room} may import ${['itself', ...targets].join(', ')}`,
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [`^src/${room}/`, ...targets.map(pattern)] },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      comment: 'a folder of src that is not in `arrows`',
      from: { path: '^src/[^/]+/', pathNot: Object.keys(arrows).map((room) => `^src/${room}/`) },
      to: {},
    },
    ...Object.entries(arrows).map(roomRule),
    {
      name: 'core-does-no-io',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '^(node:)?(net|util)$' },
    },
    {
      name: 'only-main-imports-main',
      severity: 'error',
      from: { pathNot: '^src/main[.]ts$' },
      to: { path: '^src/main[.]ts$' },
    },
    {
      name: 'nobody-imports-the-doors',
      severity: 'error',
      comment: 'index.ts is for users, app for the two doors',
      from: { path: '^src/[^/]+/', pathNot: '^src/app/' },
      to: { path: '^src/(index[.]ts|app/)' },
    },
    {
      name: 'tls-sockets-live-in-transport',
      severity: 'error',
      comment:
        'identity makes the secure contexts, transport the sockets that use them; ioredis is given its sockets, as it does not hear all their errors',
      from: {
        path: '^src/(core|config|discovery|balancing|proxy|logging|app)/',
        pathNot: '^src/discovery/sentinel/connection[.]ts$',
      },
      to: { path: '^(node:)?tls$' },
    },
    {
      name: 'not-to-dev',
      severity: 'error',
      from: { path: '^src/' },
      // An optional peer is a development dependency, too; its own rule says who loads it.
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'optional-peers-are-loaded-when-used',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-peer'], dependencyTypesNot: ['dynamic-import', 'type-only', 'npm'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(bench|deploy|scripts|test)/' },
    },
    {
      // But for followers without a program around them, of which a machine carries thousands.
      name: 'bench-runs-the-program-as-anybody',
      severity: 'error',
      from: { path: '^bench/', pathNot: '^bench/load/follower-part[.]ts$' },
      to: { path: '^(src|test|scripts|deploy)/' },
    },
    {
      name: 'nobody-imports-bench',
      severity: 'error',
      from: { path: '^(src|scripts|test/support)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'support-knows-no-test',
      severity: 'error',
      from: { path: '^(scripts|test/support)/' },
      to: { path: '[.]test[.]ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
