import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const packages = fileURLToPath(new URL('../..', import.meta.url))
const places = readdirSync(packages).filter((name) => /^(backend|storage)-(?!common$)/.test(name))

it.each(places)('%s runs the conformance suite', (name) => {
  const tests = filesBelow(`${packages}/${name}/test`).filter((path) =>
    /conformance[^/]*\.test\.ts$/.test(path),
  )
  const suites = tests.filter((path) => /^\s*describe(Backend|BlobStore)\(/m.test(readFileSync(path, 'utf8')))
  expect(suites, `add packages/${name}/test/conformance.test.ts`).not.toEqual([])
  for (const path of suites) expect(readFileSync(path, 'utf8').split('\n').length, path).toBeLessThan(31)
})

it('there are places to test', () => {
  expect(places).toContain('backend-local')
})

function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`)
  } catch {
    return []
  }
}
