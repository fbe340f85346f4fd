import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { backendOf, startPlatform } from '../src/index.js'
import { begin, patch, progress, recordOf } from './support/client.js'
import { folder, started } from './support/server.js'

const DAY = 24 * 60 * 60_000

afterEach(() => {
  vi.useRealTimers()
})

/** As if what lies in the folder of uploads had been there for so many days. */
async function age(dir: string, days: number): Promise<void> {
  const then = (Date.now() - days * DAY) / 1000
  const uploads = join(dir, 'uploads')
  for (const name of await readdir(uploads)) await utimes(join(uploads, name), then, then)
}

const statusOf = async (url: string, id: string) => (await fetch(`${url}/1/artifacts/${id}`)).status

it('a server that starts forgets uploads that nobody went on with for a week, and no others', async () => {
  const dir = await folder()
  const first = await startPlatform({ dir })
  const old = [await begin(first.url, 4), await begin(first.url, 4), await begin(first.url, -1)]
  await patch(old[1]?.href ?? '', 0, 'ab')
  await first.close()
  await age(dir, 8)

  const lines: string[] = []
  const second = await startPlatform({ dir, log: (line) => lines.push(line) })
  for (const { id } of old) {
    expect(await statusOf(second.url, id)).toBe(404)
    expect(lines).toContain(`upload ${id.split(':').at(-1)} has expired: its client did not resume it`)
  }
  expect(await readdir(join(dir, 'uploads'))).toEqual([])

  const recent = await begin(second.url, 4)
  await second.close()
  await age(dir, 6)
  const { url } = await started({ dir })
  expect(await statusOf(url, recent.id)).toBe(200)
})

it('bytes that came late keep an upload that was begun long ago', async () => {
  const dir = await folder()
  const first = await startPlatform({ dir })
  const { id, href } = await begin(first.url, 4)
  await first.close()
  await age(dir, 6)
  const second = await startPlatform({ dir })
  await patch(href.replace(first.url, second.url), 0, 'ab')
  await second.close()

  const { url } = await started({ dir, pendingTtl: DAY })
  const there = href.replace(first.url, url)
  expect((await progress(there)).headers.get('upload-offset')).toBe('2')
  expect((await patch(there, 2, 'cd')).status).toBe(204)
  expect(await recordOf(url, id)).toMatchObject({ status: 'ready' })
})

it('an upload whose bytes are all there does not expire: it is stored, however late', async () => {
  const dir = await folder()
  const real = backendOf('folder', dir)
  const create = async () => {
    throw new Error('no room')
  }
  const full = { ...real, artifacts: { ...real.artifacts, create } }
  const first = await startPlatform({ dir, backend: full })
  const { id, href } = await begin(first.url, 5)
  expect((await patch(href, 0, 'hello')).status).toBe(500)
  await first.close()
  await age(dir, 30)

  const { url } = await started({ dir })
  await vi.waitUntil(async () => (await recordOf(url, id))['status'] === 'ready')
  expect(await (await fetch(href.replace(first.url, url))).text()).toBe('hello')
})

it('a server that runs for long looks again', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
  const { url } = await started({ pendingTtl: 7 * DAY })
  const { id, href } = await begin(url, 4)
  vi.advanceTimersByTime(6 * DAY)
  expect((await patch(href, 0, 'ab')).status).toBe(204)
  vi.advanceTimersByTime(6 * DAY)
  expect(await statusOf(url, id)).toBe(200)
  vi.advanceTimersByTime(2 * DAY)
  expect(await statusOf(url, id)).toBe(404)
  expect((await progress(href)).status).toBe(404)
})
