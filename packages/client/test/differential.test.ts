import { join } from 'node:path'
import { fileBlobs, localBackend } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import { platformBackend } from '@ivcap/backend-platform'
import type { Backend } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { startPlatform } from '@ivcap/platform-server'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { answersOf, type Query, type Step } from './support/answers.js'
import { tempDir } from './support/places.js'

const entity = fc.constantFrom('urn:e:1', 'urn:e:2', 'urn:e:3')
const schema = fc.constantFrom('urn:s:a.1', 'urn:s:a.2', 'urn:s:b.1')
const earlier = fc.nat(40)

const writing = fc.record({
  kind: fc.constantFrom('add', 'update', 'update'),
  entity,
  schema,
  n: fc.nat(9),
})

const query: fc.Arbitrary<Query> = fc.record(
  {
    orderBy: fc.constantFrom(
      'valid_from',
      'schema,valid_from',
      'entity,schema,valid_from',
      'content,valid_from',
    ),
    orderDirection: fc.constantFrom('ASC', 'DESC'),
    limit: fc.constantFrom(1, 2, 3, 50),
    entity,
    schema: fc.constantFrom('urn:s:a.1', 'urn:s:a.%', '%.1', 'urn:s:none'),
    filter: fc.constantFrom('content.n > 4', 'content.even = true', "entity ~= '%2' or not content.n = 3"),
    contentPath: fc.constantFrom(
      '$.n ? (@ < 6)',
      '$.tags[*] ? (@ == "t1")',
      '$ ? (@.even == true && @.n > 2)',
    ),
    at: earlier,
    between: writing,
  },
  { requiredKeys: ['orderBy', 'orderDirection', 'limit'] },
)

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: writing },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('retract' as const), step: earlier }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('list' as const), query }) },
  ),
  { minLength: 20, maxLength: 40 },
)

/** Each a fresh place. */
async function backends(): Promise<Readonly<Record<string, Backend>>> {
  const dir = await tempDir()
  const platform = await startPlatform({ dir: join(dir, 'platform') })
  onTestFinished(() => platform.close())
  return {
    memory: memoryBackend(),
    local: localBackend({ baseDir: join(dir, 'local') }),
    folder: blobBackend(fileBlobs({ dir: join(dir, 'blobs') })),
    platform: platformBackend({ url: platform.url, stateDir: false }),
  }
}

it('all backends answer the same to any sequence of writes and questions', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const places = await backends()
      const [first, ...others] = await Promise.all(
        Object.entries(places).map(async ([name, backend]) => ({
          name,
          answers: await answersOf(backend, sequence),
        })),
      )
      for (const other of others) expect(other.answers, other.name).toEqual(first?.answers)
    }),
    { numRuns: 15, seed: 7 },
  )
})
