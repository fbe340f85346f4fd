import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hostFs } from '../src/fs/local-fs.js'
import { localBackend } from '../src/index.js'
import { text } from './bytes.js'
import { allArtifacts, allAspects, draft, entity, named, plain, tag } from './local.js'
import { putAspect } from './support/aspect-files.js'
import { type Change, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

/** The first lock that an update takes, held by a process that lives and does nothing. */
describe('a lock that a stopped process holds', () => {
  let holder: ChildProcess
  beforeEach(() => {
    holder = spawn('sleep', ['1000'])
  })
  afterEach(async () => {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  })

  async function held() {
    const dir = await tempFolder()
    const locks = join(dir, '.ivcap', 'locks')
    const names: string[] = []
    const change = ({ call, path }: Change) => {
      if (call === 'create' && path.includes('/locks/')) names.push(path)
    }
    const witness = localBackend({ baseDir: dir, fs: watched(hostFs, { change }) })
    await witness.aspects.assert(draft(entity, tag, { v: 1 }), 'replace', {})
    const [hash, owner] = (names[0] ?? '').slice(locks.length + 1).split('.')
    const [place] = (owner ?? '').split('-')
    await writeFile(join(locks, `${hash}.${place}-${holder.pid}-0.${crypto.randomUUID()}`), '')
    return dir
  }
  const update = (baseDir: string, options: object, o: object) =>
    localBackend({ baseDir, ...options }).aspects.assert(draft(entity, tag, { v: 2 }), 'replace', o)

  it('is waited for until the bound, by those in line, too; the error names the process', async () => {
    const dir = await held()
    const { aspects } = localBackend({ baseDir: dir, lockTimeout: 300 })
    const all = await Promise.allSettled(
      [1, 2, 3].map((v) => aspects.assert(draft(entity, tag, { v }), 'replace', {})),
    )
    for (const outcome of all) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
      expect(String(outcome.status === 'rejected' && outcome.reason)).toContain(`process ${holder.pid} `)
    }
    expect(await allAspects(localBackend({ baseDir: dir }))).toMatchObject([{ content: { v: 1 } }])
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await update(dir, {}, {})
    expect(await readdir(join(dir, '.ivcap', 'locks'))).toEqual([])
    holder = spawn('true')
  })

  it('lets those in line hear their own signal', async () => {
    const dir = await held()
    let tries = 0
    const change = ({ call, path }: Change) => {
      if (call === 'create' && path.includes('/locks/')) tries++
    }
    const { aspects } = localBackend({ baseDir: dir, fs: watched(hostFs, { change }) })
    const first = new AbortController()
    const second = new AbortController()
    const waiting = [first, second].map(({ signal }) =>
      aspects.assert(draft(entity, tag), 'replace', { signal }),
    )
    // the first one tries again and again, so the second is in line
    await vi.waitFor(() => expect(tries).toBeGreaterThan(3))
    second.abort('second')
    await expect(waiting[1]).rejects.toBe('second')
    first.abort('first')
    await expect(waiting[0]).rejects.toBe('first')
  })

  it('does not keep a new process from reading', async () => {
    const dir = await held()
    expect(await allAspects(localBackend({ baseDir: dir }))).toHaveLength(1)
  })

  it('wants a bound above 0', () => {
    expect(() => localBackend({ baseDir: '/x', lockTimeout: 0 })).toThrow(/lockTimeout/)
  })
})

describe('a signal that aborts just before the commit', () => {
  // whatever is read last before the commit, of an update and of an upload
  it.each(['aspect', 'artifact'])('leaves no %s', async (what) => {
    const dir = await tempFolder()
    const aborting = new AbortController()
    let isLocked = false
    const reading = (path: string) => {
      if (isLocked && path.endsWith('/aspects')) aborting.abort('late')
    }
    const change = ({ call, path }: Change) => {
      if (call === 'create' && path.includes('/locks/')) isLocked = true
    }
    const { artifacts, aspects } = localBackend({ baseDir: dir, fs: watched(hostFs, { change, reading }) })
    await mkdir(join(dir, 'aspects'))
    const { signal } = aborting
    const made =
      what === 'aspect'
        ? aspects.assert(draft(entity, tag), 'replace', { signal })
        : artifacts.create(text('x'), named('a.txt'), { ...plain, signal })
    await expect(made).rejects.toBe('late')
    const later = localBackend({ baseDir: dir })
    expect([await allAspects(later), await allArtifacts(later)]).toEqual([[], []])
  })
  it('leaves the artifact that was to be replaced', async () => {
    const dir = await tempFolder()
    const before = localBackend({ baseDir: dir })
    await before.artifacts.create(text('old'), named('a.txt'), plain)
    const aborting = new AbortController()
    const change = ({ call, path }: Change) => {
      if (call === 'create' && path.endsWith('.todo')) aborting.abort('late')
    }
    const { sync: _, ...awaited } = hostFs
    const { artifacts } = localBackend({ baseDir: dir, fs: watched(awaited, { change }) })
    const { signal } = aborting
    await expect(artifacts.create(text('new!'), named('a.txt'), { ...plain, signal })).rejects.toBe('late')
    expect(await allArtifacts(localBackend({ baseDir: dir }))).toMatchObject([{ size: 3 }])
  })
})

describe('a copy of the folder that was made during an update', () => {
  /** `stop`: the copy is made before this change. */
  async function copyBefore(stop: (change: Change) => boolean): Promise<string> {
    const dir = await tempFolder()
    const copied = await tempFolder()
    await localBackend({ baseDir: dir }).aspects.assert(draft(entity, tag, { v: 1 }), 'add', {})
    let copying: Promise<void> | undefined
    const { sync: _, ...awaited } = hostFs
    const fs = watched(awaited, {
      change: (change) => {
        if (!stop(change) || copying !== undefined) return
        copying = cp(dir, copied, { recursive: true })
      },
    })
    const rename: typeof fs.rename = async (from, to) => {
      const renamed = fs.rename(from, to)
      // not before the copy is whole: it starts when the watcher sees the change
      await copying
      await renamed
    }
    const { aspects } = localBackend({ baseDir: dir, fs: { ...fs, rename } })
    await aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
    expect(copying).toBeDefined()
    return copied
  }

  it('between the closing and the new record has the old one in force', async () => {
    const copied = await copyBefore(({ call, path }) => call === 'rename' && path.includes('/aspects/'))
    expect((await allAspects(localBackend({ baseDir: copied }))).length).toBeGreaterThan(0)
  })

  it.each([true, false])(
    'with the old file as it is now, but without the new one: %s',
    async (hasClosing) => {
      const dir = await tempFolder()
      const { aspects } = localBackend({ baseDir: dir })
      const old = await aspects.assert(draft(entity, tag, { v: 1 }), 'add', {})
      const made = await aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
      const copied = await tempFolder()
      await cp(dir, copied, { recursive: true })
      // as the names were read before the new file was there
      await rm(join(copied, 'aspects', `${made.id.slice(-36)}.json`))
      if (!hasClosing) await rm(join(copied, '.ivcap'), { recursive: true })
      expect((await allAspects(localBackend({ baseDir: copied }))).map(({ id }) => id)).toEqual([old.id])
      expect((await allAspects(localBackend({ baseDir: dir }))).map(({ id }) => id)).toEqual([made.id])
    },
  )
})

describe('verify and repair', () => {
  it('find nothing wrong with a folder in use', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    await backend.artifacts.create(text('abc'), named('a.txt'), plain)
    await backend.artifacts.create(text('abcd'), named('a.txt'), plain)
    await backend.aspects.assert(draft(entity, tag), 'replace', {})
    await backend.aspects.assert(draft(entity, tag), 'replace', {})
    for (const { aspects: _, ...examined } of [backend, localBackend({ baseDir: dir })])
      expect([await examined.verify?.({}), await examined.repair?.({})]).toEqual([[], []])
  })

  it('name what is damaged, and delete nothing', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    const at = (name: string) => join(dir, name)
    for (const name of ['gone', 'short', 'altered'])
      await backend.artifacts.create(text('abc'), named(name), plain)
    await rm(at('gone'))
    await truncate(at('short'), 1)
    await writeFile(at('altered'), 'abX')
    const stray = join(dir, '.ivcap', 'closed', crypto.randomUUID())
    await writeFile(stray, '{"validTo":"2026-01-01T00:00:00.000000Z"}')
    const broken = join(dir, 'aspects', `${crypto.randomUUID()}.json`)
    await writeFile(broken, '{')
    const problems = (await localBackend({ baseDir: dir }).verify?.({})) ?? []
    expect(problems.map(({ kind, resource }) => `${kind} ${resource}`).sort()).toEqual(
      [
        `missing-content urn:file://${at('gone')}`,
        `wrong-size urn:file://${at('short')}`,
        `wrong-digest urn:file://${at('altered')}`,
        `orphan ${stray}`,
        `unreadable-record ${broken}`,
      ].sort(),
    )
    expect(await localBackend({ baseDir: dir }).verify?.({ digests: false })).toHaveLength(4)
    expect(await localBackend({ baseDir: dir }).repair?.({})).toEqual([])
    expect((await readdir(dir)).sort()).toEqual(['.ivcap', 'altered', 'aspects', 'short'])
    expect(await readFile(broken, 'utf8')).toBe('{')
  })

  it('mend an index that another program’s write has made wrong, and the end that a file lacks', async () => {
    const dir = await tempFolder()
    const id = await putAspect(dir, { entity, schema: tag, content: { v: 1 } })
    const backend = localBackend({ baseDir: dir })
    expect(await allAspects(backend)).toHaveLength(1)
    const path = join(dir, 'aspects', `${id.slice(-36)}.json`)
    const before = await readFile(path, 'utf8')
    await writeFile(path, before.replace(entity, 'urn:example:reef:9'))
    expect(await backend.repair?.({})).toMatchObject([{ kind: 'wrong-index', resource: id }])
    expect(await allAspects(backend, { entity: 'urn:example:reef:9' })).toHaveLength(1)
    await backend.aspects.retract(id, {})
    await writeFile(path, before)
    expect(await backend.repair?.({})).toMatchObject([{ kind: 'wrong-index', resource: id }])
    expect(JSON.parse(await readFile(path, 'utf8')).valid_to).not.toBeNull()
    expect(await backend.verify?.({})).toEqual([])
  })
})

describe('the folders that all users share', () => {
  it('take the permissions of the folder, whatever the umask', async () => {
    const dir = await tempFolder()
    await chmod(dir, 0o2775)
    const before = process.umask(0o077)
    try {
      const { aspects } = localBackend({ baseDir: dir })
      await aspects.assertMany?.(
        Array.from({ length: 300 }, (_, i) => draft('urn:example:many', tag, { i })),
        {},
      )
      const made = await aspects.assert(draft(entity, tag), 'replace', {})
      await aspects.retract(made.id, {})
      const modeOf = async (...path: string[]) => Number((await stat(join(dir, ...path))).mode) & 0o7777
      for (const sub of ['.ivcap', '.ivcap/closed', '.ivcap/locks', '.ivcap/staging', 'aspects'])
        expect([sub, await modeOf(sub)]).toEqual([sub, 0o2775])
      for (const file of ['bases', 'facts.jsonl', 'contents.jsonl', `closed/${made.id.slice(-36)}`])
        expect([file, await modeOf('.ivcap', file)]).toEqual([file, 0o664])
    } finally {
      process.umask(before)
    }
  })
  it('a record that is closed keeps its permissions', async () => {
    const dir = await tempFolder()
    const id = await putAspect(dir, { entity, schema: tag, content: {} })
    const path = join(dir, 'aspects', `${id.slice(-36)}.json`)
    await chmod(path, 0o664)
    const before = process.umask(0o077)
    try {
      await localBackend({ baseDir: dir }).aspects.retract(id, {})
    } finally {
      process.umask(before)
    }
    expect(Number((await stat(path)).mode) & 0o777).toBe(0o664)
    expect(JSON.parse(await readFile(path, 'utf8')).valid_to).not.toBeNull()
  })
})
