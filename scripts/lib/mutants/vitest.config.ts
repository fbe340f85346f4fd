// The tests of one mutant, one file after the other in the order of MUTANT_TESTS, up to the first failure.
import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import base from '../../../vitest.config'

const tests: readonly string[] = JSON.parse(process.env['MUTANT_TESTS'] ?? '[]')
const outputFile = process.env['MUTANT_REPORT'] ?? 'report.json'

class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => tests.indexOf(relative(process.cwd(), moduleId))
    return [...files].sort((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  ...base,
  cacheDir: '.cache/vite',
  test: {
    ...base.test,
    include: [...tests],
    globalSetup: [],
    reporters: [['json', { outputFile }]],
    bail: 1,
    maxWorkers: 1,
    sequence: { sequencer: Sequencer },
    experimental: { fsModuleCache: true },
  },
})
