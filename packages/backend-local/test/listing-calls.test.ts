import { memfs } from 'memfs'
import { expect, it } from 'vitest'
import type { LocalFs } from '../src/index.js'
import { localBackend } from '../src/index.js'
import { text } from './bytes.js'
import { allArtifacts, named, plain } from './local.js'

/** `fs`, whose calls are counted. */
function counted(fs: LocalFs): { readonly fs: LocalFs; readonly calls: () => number } {
  let calls = 0
  const proxy = new Proxy(fs, {
    get: (target, name, receiver) => {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]) => {
        calls++
        return Reflect.apply(value, target, args)
      }
    },
  })
  return { fs: proxy, calls: () => calls }
}

it('a listing of many artifacts walks the folder once, with few calls for each', {
  timeout: 120_000,
}, async () => {
  const { fs } = memfs()
  const COUNT = 9980
  await fs.promises.mkdir('/base/sub', { recursive: true })
  for (let i = 0; i < COUNT; i++) fs.writeFileSync(`/base/${i % 2 ? 'sub/' : ''}${i}.txt`, String(i))
  const recorded = localBackend({ baseDir: '/base', fs: fs.promises })
  for (let i = 0; i < 20; i++) await recorded.artifacts.create(text('recorded'), named(`r${i}`), plain)
  const { fs: watched, calls } = counted(fs.promises)
  const backend = localBackend({ baseDir: '/base', fs: watched })
  expect(await allArtifacts(backend, { limit: 1000 })).toHaveLength(COUNT + 20)
  expect(calls()).toBeLessThanOrEqual(3 * (COUNT + 20))
})

it('a listing of more artifacts than one walk remembers goes on after them', {
  timeout: 30_000,
}, async () => {
  const { fs } = memfs()
  const COUNT = 10_050
  fs.mkdirSync('/base')
  for (let i = 0; i < COUNT; i++) fs.writeFileSync(`/base/${i}.txt`, '')
  const backend = localBackend({ baseDir: '/base', fs: fs.promises })
  const listed = await allArtifacts(backend, { limit: 1000, orderBy: 'name', orderDesc: false })
  expect(new Set(listed.map(({ id }) => id)).size).toBe(COUNT)
  expect(listed).toHaveLength(COUNT)
})
