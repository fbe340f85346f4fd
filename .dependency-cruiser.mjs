// Who may import whom. `npm run layers` checks it; scripts/test/layers.test.ts shows that every rule bites.
import { builtinModules } from 'node:module'

/** Inside core, from the ground up: what each layer may use besides itself. */
const layers = {
  model: [],
  ports: ['model'],
  wire: ['model'],
  query: ['model', 'ports'],
  retry: ['model', 'ports'],
  streams: ['model', 'ports', 'retry', 'runtime'], // the Node side through #runtime only, see "node-side-through-runtime"
  transfer: ['model', 'ports', 'retry', 'streams', 'runtime'],
  runtime: ['model', 'ports', 'retry', 'streams', 'transfer'],
  rules: ['model', 'ports', 'wire', 'query'],
  engine: ['model', 'ports', 'query', 'rules', 'retry', 'streams', 'transfer', 'runtime'],
  client: ['model', 'ports', 'query', 'rules', 'retry', 'streams', 'transfer', 'runtime'], // not the engine: apps that don't need it don't load it
}

/**
 * Between packages: what each one's sources may use of ours. A name that isn't listed may use core.
 *
 * @type {Record<string, string[]>}
 */
const packages = {
  'sql-json-path': [],
  core: ['sql-json-path'],
  client: ['core', 'services', 'backend-[^/]+', 'storage-[^/]+'],
  conformance: ['core', 'services'],
  'backend-memory': ['core', 'backend-local'],
  'storage-s3': ['core', 'storage-common'],
  'storage-gcs': ['core', 'storage-common'],
}

/** A vendor's SDK stays in one package; everybody else goes through the ports. */
const vendors = {
  'backend-platform': 'tus-js-client',
  'backend-memory': 'memfs',
  'storage-s3': '@aws-sdk|@smithy',
  'storage-gcs': '@google-cloud',
}

const core = '^packages/core/src/'
const folder = (/** @type {string} */ name) => `${core}${name}(/|\\.ts$)`
const anyOf = (/** @type {readonly string[]} */ names) => `(${names.join('|')})`
const builtins = `^(node:.+|${builtinModules.join('|')})$`

/** @typedef {import('dependency-cruiser').IForbiddenRuleType} Rule */

/** @type {Rule[]} */
const betweenPackages = [...Object.keys(packages), 'others'].map((name) => {
  const others = name === 'others'
  const allowed = packages[name] ?? ['core']
  const own = others ? '$1' : name
  return {
    name: `${name}-imports`,
    comment: `packages/${others ? '<any other>' : name} may import of ours: ${allowed.join(', ') || 'nothing'}`,
    severity: 'error',
    from: others
      ? { path: '^packages/([^/]+)/src/', pathNot: `^packages/${anyOf(Object.keys(packages))}/` }
      : { path: `^packages/${name}/src/` },
    to: { path: '^packages/', pathNot: `^packages/${anyOf([own, ...allowed])}/` },
  }
})

/** @type {Rule[]} */
const insideCore = Object.entries(layers).map(([name, below]) => ({
  name: `core-${name}`,
  comment: `core's ${name} may import of core: itself, ${below.join(', ')}`,
  severity: 'error',
  from: { path: folder(name) },
  to: { path: core, pathNot: folder(anyOf([name, ...below])) },
}))

/** @type {Rule[]} */
const vendorRules = Object.entries(vendors).map(([name, sdk]) => ({
  name: `vendor-of-${name}`,
  comment: `${sdk} is ${name}'s affair alone`,
  severity: 'error',
  from: { path: '^packages/[^/]+/src/', pathNot: `^packages/${name}/` },
  to: { path: `node_modules/(${sdk})/` },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...betweenPackages,
    ...insideCore,
    ...vendorRules,
    {
      name: 'no-cycle',
      comment: 'imports go round in a circle',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src/' },
      to: { circular: true },
    },
    {
      name: 'core-runs-anywhere',
      comment: 'core uses Node modules only in its runtime folder',
      severity: 'error',
      from: { path: core, pathNot: `${core}runtime/` },
      to: { path: builtins, dependencyTypes: ['core'] },
    },
    {
      name: 'platform-runs-anywhere',
      comment: "the platform's backend uses Node modules only behind #pending-uploads and #transport",
      severity: 'error',
      from: {
        path: '^packages/backend-platform/src/',
        pathNot: '^packages/backend-platform/src/(uploads/pending/node\\.ts|transport/node/)',
      },
      to: { path: builtins, dependencyTypes: ['core'] },
    },
    {
      name: 'web-runtime-without-node',
      comment: "what stands for '#runtime' in browsers leads to no Node module, not even by others",
      severity: 'error',
      from: { path: `${core}runtime/web\\.ts$` },
      to: { path: builtins, reachable: true },
    },
    {
      name: 'node-side-through-runtime',
      comment: "core reaches its Node side as '#runtime', so that a bundler's conditions choose the file",
      severity: 'error',
      from: { path: core, pathNot: `${core}runtime/` },
      to: { path: `${core}runtime/`, dependencyTypesNot: ['aliased-subpath-import', 'type-only'] },
    },
    {
      name: 'packages-by-name',
      comment: 'another package is imported by its name, never by a path into its folder',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/' },
      to: { path: '^(packages|apps)/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
    },
    {
      name: 'apps-are-leaves',
      comment: 'nothing that is published imports an app',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '^apps/' },
    },
    {
      name: 'sources-without-tests',
      comment: 'sources import no tests',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src/' },
      to: { path: '/test/' },
    },
    {
      name: 'resolvable',
      comment: 'this import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps)/[^/]+/(dist|coverage)/|^benchmarks/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true, // types count: they couple, too
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
    },
  },
}
