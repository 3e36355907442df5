/**
 * Bundles src/ into dist/, each file with its source map. What a start loads is main.js and attache.js. What only some
 * configurations need is loaded by `import()` when it is needed: it keeps the place in dist/ that its source has in src/. Packages
 * are not bundled: they are installed beside, with their licences.
 */
import { relative, resolve, sep } from 'node:path';
import { rolldown } from 'rolldown';

const sources = resolve('src');
/** A start loads these, and what they import at once. */
const atStart = ['app/program.ts', 'index.ts'].map((file) => resolve(sources, file));

let known;

const bundle = await rolldown({
  input: { main: 'src/main.ts', index: 'src/index.ts' },
  platform: 'node',
  external: (name) => !/^[./]/.test(name),
  // What the library imports at once may be imported later by the program.
  checks: { ineffectiveDynamicImport: false },
  onLog(level, log) {
    throw new Error(`bundle: ${level}: ${log.message}`);
  },
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: ({ name, facadeModuleId }) =>
    facadeModuleId
      ? `${relative(sources, facadeModuleId)
          .replace(/[.]ts$/, '')
          .replaceAll(sep, '/')}.js`
      : `${name}.js`,
  codeSplitting: {
    groups: [{ debugName: 'start', name: (id, context) => (startedWith(context).has(id) ? 'attache' : null) }],
  },
});
await bundle.close();

/** The modules that a start loads. */
function startedWith(context) {
  if (known !== undefined) return known;
  known = new Set();
  const visit = (id) => {
    if (known.has(id)) return;
    known.add(id);
    context.getModuleInfo(id)?.importedIds.forEach(visit);
  };
  atStart.forEach(visit);
  return known;
}
