import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Sources that are mutated, and the tests that run against each mutant.
 *
 * @typedef {object} Area
 * @property {string} sources a folder
 * @property {Readonly<Record<string, RegExp>>} tests by package: names of test files, without `.test.ts`
 */

/** @type {Area['tests']} */
const TRANSFER_TESTS = {
  core: /^(transfer-.*|large-.*|copy-.*|edge-values|file-source|mounted-files|save-as|temp-file|unsized-files)$/,
  client: /^(artifact|upload-many|waiting)$/,
  'backend-memory': /^conformance$/,
  'backend-platform': /^(content-truth|download-.*|upload-.*)$/,
}

/**
 * A suite that needs a server, another language or minutes is omitted if a faster one covers the same code.
 *
 * @type {readonly Area[]}
 */
export const areas = [
  {
    sources: 'packages/core/src/engine',
    tests: {
      core: /^engine-(?!races)/,
      conformance: /^(engine-.*|fault-simulation)$/,
      'backend-memory': /^(engine-conformance|fault-simulation)$/,
    },
  },
  { sources: 'packages/core/src/transfer', tests: TRANSFER_TESTS },
  { sources: 'packages/core/src/streams', tests: TRANSFER_TESTS },
  { sources: 'packages/core/src/retry', tests: TRANSFER_TESTS },
  {
    sources: 'packages/backend-local/src',
    tests: { 'backend-local': /^(?!python|conformance-engine|fault-simulation|many-aspects)/ },
  },
]

const TEST = '.test.ts'

/** Returns the sources of an area, as paths from `root`, sorted. @param {Area} area @param {string} root */
export const sourcesOf = ({ sources }, root) =>
  readdirSync(join(root, sources), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${sources}/${name}`)
    .sort()

/** Returns the test files of an area, as paths from `root`, sorted. @param {Area} area @param {string} root */
export const testsOf = ({ tests }, root) =>
  Object.entries(tests).flatMap(([name, wanted]) =>
    readdirSync(join(root, 'packages', name, 'test'))
      .filter((file) => file.endsWith(TEST) && wanted.test(file.slice(0, -TEST.length)))
      .map((file) => `packages/${name}/test/${file}`)
      .sort(),
  )

/**
 * Sorts tests so that a change of `source` is likely to be detected soon: the tests whose names share the most words with it come
 * first, and faster ones come before slower ones.
 *
 * @param {string} source
 * @param {ReadonlyMap<string, number>} durations by test file
 */
export function inOrder(source, durations) {
  const words = source.split(/[^a-z]+/).filter((word) => word.length > 3 && !COMMON.has(word))
  /** @param {string} test */
  const shared = (test) => words.filter((word) => (test.split('/test/')[1] ?? '').includes(word)).length
  return [...durations.keys()].sort(
    (a, b) => shared(b) - shared(a) || (durations.get(a) ?? 0) - (durations.get(b) ?? 0),
  )
}

const COMMON = new Set(['packages', 'core', 'backend', 'local', 'engine', 'transfer'])
