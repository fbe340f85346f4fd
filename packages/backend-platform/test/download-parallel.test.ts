import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { faultProxy, type Plan } from '@ivcap/conformance/fault-proxy'
import { Ivcap } from '@ivcap/core'
import { contentSource } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { platformBackend } from '../src/index.js'
import { draft, someBytes, transfer } from './support/content.js'
import { deployment, TOKEN } from './support/deployment.js'

const MiB = 1 << 20
const bytes = someBytes(41 * MiB + 7)

/** Bodies over a line that takes its time: one connection is not all that can be wished for. */
const slow: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  if (response.body === null) return response
  let first = true
  const pause = new TransformStream<Uint8Array, Uint8Array>({
    async transform(piece, controller) {
      if (!first && init?.method === 'GET') await sleep(4)
      first = false
      controller.enqueue(piece)
    },
  })
  const { status, headers } = response
  return new Response(response.body.pipeThrough(pause), { status, headers })
}

/** Saves an artifact through a proxy, and tells of the requests for its content. */
async function saved(plan: Plan) {
  const { url } = await deployment()
  const proxy = await faultProxy(url)
  const backend = platformBackend({
    url: proxy.url,
    token: TOKEN,
    stateDir: false,
    retryDelay: 1,
    fetch: slow,
  })
  const { id } = await backend.artifacts.create(contentSource(bytes), draft, transfer)
  proxy.seen.length = 0
  proxy.plan = (seen, n) => (seen.path.endsWith('/blob') ? plan(seen, n) : undefined)
  const file = await (await new Ivcap(backend).getArtifact(id)).asLocalFile()
  const found = await readFile(file.path)
  await file.dispose()
  const asked = proxy.seen.filter((s) => s.path.endsWith('/blob')).map(({ headers }) => headers.range)
  return { found, asked }
}

it('a large file comes as ranges, several at once', async () => {
  const { found, asked } = await saved(() => undefined)
  expect(Buffer.compare(found, bytes)).toBe(0)
  expect(asked).toHaveLength(11)
  expect(new Set(asked).size).toBe(11)
  expect(asked.slice(0, 2)).toEqual([`bytes=0-${2 * MiB - 1}`, `bytes=${2 * MiB}-${6 * MiB - 1}`])
})

it('and goes on where one of them breaks', async () => {
  let left = 3
  const { found, asked } = await saved(() =>
    left-- > 0 ? { kind: 'cut-answer', after: 3 * MiB, how: 'reset' } : undefined,
  )
  expect(Buffer.compare(found, bytes)).toBe(0)
  expect(asked).not.toContain(undefined)
})

it('or whole, from a server that knows no ranges', async () => {
  const { found, asked } = await saved(({ headers }) => {
    delete headers.range
    return undefined
  })
  expect(Buffer.compare(found, bytes)).toBe(0)
  expect(asked).toHaveLength(1)
})
