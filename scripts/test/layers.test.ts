import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import config from '../../.dependency-cruiser.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** One file for each rule that breaks it, and it alone. */
const violations: Record<string, [file: string, source: string]> = {
  'sql-json-path-imports': ['sql-json-path/src/index.ts', "import '@ivcap/core'"],
  'core-imports': ['core/src/index.ts', "import '@ivcap/backend-local'"],
  'client-imports': ['client/src/index.ts', "import '@ivcap/conformance'"],
  'backend-memory-imports': ['backend-memory/src/index.ts', "import '@ivcap/client'"],
  'storage-s3-imports': ['storage-s3/src/other.ts', "import '@ivcap/backend-local'"],
  'storage-gcs-imports': ['storage-gcs/src/other.ts', "import '@ivcap/backend-local'"],
  'conformance-imports': ['conformance/src/suite.ts', "import '@ivcap/client'"],
  'others-imports': ['backend-local/src/index.ts', "import type { x } from '@ivcap/backend-memory'"],
  'core-model': ['core/src/model/urn.ts', "import type { x } from '../ports/index.js'"],
  'core-ports': ['core/src/ports/backend.ts', "import '../query/order.js'"],
  'core-query': ['core/src/query/page.ts', "import '../rules/order.js'"],
  'core-retry': ['core/src/retry/retry.ts', "import '../query/order.js'"],
  'core-streams': ['core/src/streams/source.ts', "import '../query/order.js'"],
  'core-transfer': ['core/src/transfer/download.ts', "import '../query/order.js'"],
  'core-wire': ['core/src/wire/records.ts', "import '../query/order.js'"],
  'core-runtime': ['core/src/runtime/types.ts', "import '../rules/order.js'"],
  'core-rules': ['core/src/rules/aspects.ts', "import '../streams/progress.js'"],
  'core-engine': ['core/src/engine/slots.ts', "import '../client/ivcap.js'"],
  'core-client': ['core/src/client/list.ts', "import '../driver.js'"],
  'vendor-of-backend-platform': ['core/src/model/a.ts', "import 'tus-js-client'"],
  'vendor-of-backend-memory': ['core/src/model/b.ts', "import 'memfs'"],
  'vendor-of-storage-s3': ['client/src/s3.ts', "import '@aws-sdk/client-s3'"],
  'vendor-of-storage-gcs': ['storage-s3/src/gcs.ts', "import '@google-cloud/storage'"],
  'no-cycle': ['core/src/rules/round-again.ts', "import './round.js'"],
  'core-runs-anywhere': ['core/src/engine/disk.ts', "import 'node:fs/promises'"],
  'platform-runs-anywhere': ['backend-platform/src/uploads/pending/web.ts', "import 'node:path'"],
  'web-runtime-without-node': ['core/src/runtime/web.ts', "import './node/helper.js'"],
  'node-side-through-runtime': ['core/src/engine/put.ts', "import '../runtime/web.js'"],
  'packages-by-name': ['backend-local/test/a.test.ts', "import '../../core/src/query/order.js'"],
  'apps-are-leaves': ['client/src/app.ts', "import '../../../apps/examples/main.js'"],
  'sources-without-tests': ['client/src/help.ts', "import '../test/help.js'"],
  resolvable: ['client/test/lost.test.ts', "import './nowhere.js'"],
}

/** What the violating files import, and imports that are in order. */
const bystanders: [file: string, source: string][] = [
  ['core/src/query/order.ts', "import '../model/errors.js'"],
  ['core/src/query/work.ts', "import type { x } from '@ivcap/sql-json-path'"],
  ['core/src/model/errors.ts', ''],
  ['core/src/ports/index.ts', ''],
  ['core/src/rules/order.ts', "import '../query/order.js'"],
  ['core/src/rules/round.ts', "import './round-again.js'"],
  ['core/src/streams/progress.ts', "import '#runtime'"],
  ['core/src/runtime/node/index.ts', "import './helper.js'"],
  ['core/src/runtime/node/helper.ts', "import 'node:fs'"],
  ['core/src/client/ivcap.ts', "import '../rules/order.js'"],
  ['core/src/driver.ts', "export * from './rules/order.js'"],
  ['client/test/help.ts', "import 'node:fs'"],
  ['backend-platform/src/uploads/pending/node.ts', "import 'node:fs'"],
  ['conformance/src/index.ts', "import '@ivcap/core'"],
  ['storage-s3/src/index.ts', "import '@aws-sdk/client-s3'"],
]

let folder: string
let found: { rule: string; from: string }[]

function write(file: string, text: string) {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layers-'))
  for (const file of ['.dependency-cruiser.mjs', 'tsconfig.base.json'])
    cpSync(join(root, file), join(folder, file))
  for (const name of [
    'sql-json-path',
    'core',
    'client',
    'backend-local',
    'backend-memory',
    'conformance',
    'storage-s3',
  ]) {
    const source = { '.': { source: './src/index.ts' } }
    const imports = { '#runtime': { source: './src/runtime/node/index.ts' } }
    const manifest = { name: `@ivcap/${name}`, type: 'module', exports: source, imports }
    write(`packages/${name}/package.json`, JSON.stringify(manifest))
    write(`packages/${name}/src/index.ts`, '')
    mkdirSync(join(folder, 'node_modules/@ivcap'), { recursive: true })
    symlinkSync(join(folder, 'packages', name), join(folder, 'node_modules/@ivcap', name))
  }
  for (const name of ['tus-js-client', 'memfs', '@aws-sdk/client-s3', '@google-cloud/storage']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }))
    write(`node_modules/${name}/index.js`, '')
  }
  write('apps/examples/main.ts', '')
  for (const [file, source] of [...bystanders, ...Object.values(violations)])
    write(`packages/${file}`, source)
  found = cruise()
})

afterAll(() => rmSync(folder, { recursive: true }))

function cruise() {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const json = execFileSync(process.execPath, [program, 'packages', '--output-type', 'json'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const result: { summary: { violations: { rule: { name: string }; from: string }[] } } = JSON.parse(json)
  return result.summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }))
}

test('every rule has a violation here', () => {
  const rules = config.forbidden?.map((rule) => rule.name)
  expect(Object.keys(violations).sort()).toEqual(rules?.sort())
})

test.each(Object.entries(violations))('%s is noticed', (rule, [file]) => {
  expect(found).toContainEqual({ rule, from: `packages/${file}` })
})

test('imports that are in order pass', () => {
  const guilty = new Set(Object.values(violations).map(([file]) => `packages/${file}`))
  const others = found.filter(({ from }) => !guilty.has(from))
  expect(others).toEqual([])
})
