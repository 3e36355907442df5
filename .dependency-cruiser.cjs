/** The arrows of ARCHITECTURE.md. `scripts/check-arrows.ts` runs this and fails when it read no module. */
const rooms = 'config|discovery|balancing|identity|transport|admin|logging';

/** What a room may import beyond core, itself and the interface files. */
const shared = { admin: ['^src/transport/stale-socket[.]ts$'] };

/** A room may import core, itself, and the named interface files. */
const roomRule = (room) => ({
  name: `${room}-stays-in-its-room`,
  severity: 'error',
  comment: `${room} may import core and the interface files only`,
  from: { path: `^src/${room}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/${room}/`,
      '^src/core/',
      '^src/discovery/source[.]ts$',
      '^src/identity/material[.]ts$',
      ...(shared[room] ?? []),
    ],
  },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^src/', pathNot: '^src/core/' },
    },
    {
      name: 'core-does-no-io',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '^(node:)?(net|util|timers)$' },
    },
    ...rooms.split('|').map(roomRule),
    {
      name: 'proxy-wires-transport-and-balancing',
      severity: 'error',
      from: { path: '^src/proxy/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/(proxy|core|transport|balancing)/',
          '^src/discovery/source[.]ts$',
          '^src/identity/material[.]ts$',
        ],
      },
    },
    {
      name: 'only-main-imports-main',
      severity: 'error',
      from: { pathNot: '^src/main[.]ts$' },
      to: { path: '^src/main[.]ts$' },
    },
    {
      name: 'sockets-live-in-transport',
      severity: 'error',
      comment: 'identity makes the secure contexts, transport the sockets that use them',
      from: { path: '^src/(core|config|discovery/(?!etcd)|balancing|proxy|logging)' },
      to: { path: '^(node:)?tls$' },
    },
    {
      name: 'not-to-dev',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|scripts)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
