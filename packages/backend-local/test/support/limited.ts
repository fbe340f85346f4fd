/** What a process with few file descriptors, another umask or less permissions gets; told as one line of JSON. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Artifact, Ivcap, isIvcapError } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'
import { fileBlobs, localBackend } from '../../src/index.js'

const [task = '', dir = ''] = process.argv.slice(2)
const places = {
  local: () => new Ivcap(localBackend({ baseDir: join(dir, 'local') })),
  engine: () => new Ivcap(blobBackend(fileBlobs({ dir: join(dir, 'engine') }))),
}

/** Errors by their code. */
async function outcome(work: Promise<string>): Promise<string> {
  return work.catch((e: unknown) => (isIvcapError(e) ? e.code : String(e)))
}
const count = (outcomes: readonly string[]) =>
  Object.fromEntries([...new Set(outcomes)].map((o) => [o, outcomes.filter((other) => other === o).length]))

/** All at once: some need two descriptors each, and few are left. */
async function manyFiles(ivcap: Ivcap, name: string): Promise<unknown> {
  const numbers = Array.from({ length: 100 }, (_, i) => i)
  const files = numbers.map((i) => join(dir, `${name}-${i}`))
  for (const [i, file] of files.entries()) writeFileSync(file, `content ${i}`)
  const uploads = files.map((filePath, i) => ({ filePath, name: `${i}.txt`, sidecar: false }))
  const uploaded = await ivcap.uploadArtifacts(uploads, { concurrency: 100 })
  const artifacts = uploaded.flatMap(({ artifact }): Artifact[] => (artifact ? [artifact] : []))
  const saved = await Promise.all(
    artifacts.map((artifact, i) =>
      outcome(artifact.asLocalFile(join(dir, `${name}-out`, `${i}`)).then(({ path }) => path)),
    ),
  )
  // read when no descriptor is wanted any more
  const contents = saved.map((path, i) => {
    const isRight = path.startsWith(dir) && readFileSync(path, 'utf8') === `content ${i}`
    return isRight ? 'saved' : path
  })
  const listed = await Promise.all(
    numbers.slice(0, 20).map(() =>
      outcome(
        ivcap
          .listArtifacts({ limit: 100 })
          .toArray()
          .then((all) => `listed ${all.length}`),
      ),
    ),
  )
  return {
    uploaded: count(uploaded.map(({ error }) => error?.code ?? 'stored')),
    saved: count(contents),
    listed: count(listed),
  }
}

async function modes(ivcap: Ivcap, name: string): Promise<unknown> {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  const found: Record<string, string> = {}
  for (const [size, mode] of [
    [10, 0o600],
    [10, 0o755],
    [2 << 20, 0o600],
    [2 << 20, 0o666],
  ] as const) {
    const filePath = join(dir, `${name}-${size}-${mode}`)
    writeFileSync(filePath, new Uint8Array(size))
    chmodSync(filePath, mode)
    const fromFile = await ivcap.uploadArtifact({ filePath, name: `f-${size}-${mode}`, sidecar: false })
    const fromBytes = await ivcap.uploadArtifact({
      content: new Uint8Array(size),
      name: `b-${size}-${mode}`,
      contentType: 'a/b',
    })
    for (const artifact of [fromFile, fromBytes]) {
      const { path } = await artifact.asLocalFile(`${filePath}-${artifact === fromFile ? 'file' : 'bytes'}`)
      found[path.slice(dir.length + 1)] = modeOf(path)
      // the stored file itself, where it is one
      if (name === 'local') found[`stored ${artifact.name}`] = modeOf((await artifact.asLocalFile()).path)
    }
  }
  return found
}

async function unreadable(ivcap: Ivcap, name: string): Promise<unknown> {
  const filePath = join(dir, `${name}.bin`)
  writeFileSync(filePath, new Uint8Array(3 << 20))
  const before = outcome(
    ivcap
      .uploadArtifact({ filePath, name: 'a', sidecar: false, signal: AbortSignal.timeout(30_000) })
      .then(() => 'stored'),
  )
  // between the look at the file and its opening
  chmodSync(filePath, 0)
  return {
    meanwhile: await before,
    before: await outcome(ivcap.uploadArtifact({ filePath, name: 'b' }).then(() => 'stored')),
    left: (await ivcap.listArtifacts().toArray()).length,
  }
}

const tasks = { manyFiles, modes, unreadable }
const isTask = (name: string): name is keyof typeof tasks => Object.hasOwn(tasks, name)
if (task === 'modes') process.umask(0o027)
if (task === 'unreadable') {
  // root may read everything
  process.setgid?.(65534)
  process.setuid?.(65534)
}
mkdirSync(dir, { recursive: true })
const results: Record<string, unknown> = {}
for (const [name, open] of Object.entries(places)) {
  if (isTask(task)) results[name] = await tasks[task](open(), name)
}
console.log(JSON.stringify(results))
