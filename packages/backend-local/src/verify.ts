import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { aspectUrn, isUrn, type OpOptions, type Problem, type VerifyOptions } from '@ivcap/core/driver'
import { ARTIFACT_SCHEMAS, artifactOf, pathOfFileUrn } from '@ivcap/core/internal'
import type { ArtifactPaths } from './artifacts/paths.js'
import { filesBelow } from './artifacts/walk.js'
import { type AspectFolder, decodeClosing, endOf, uuidOfFile } from './aspects/files.js'
import type { AspectRecords } from './aspects/records.js'
import { decodableNames, NOT_UTF8 } from './fs/entries.js'
import { etagOf, type LocalFs } from './fs/local-fs.js'
import { Omissions } from './fs/omissions.js'
import { readPinned } from './fs/pinned-file.js'
import { MAX_SMALL_FILE, readSmall } from './fs/read-small.js'
import type { AspectIndex } from './index/aspect-index.js'
import type { FolderLayout } from './layout.js'

interface Parts {
  readonly fs: LocalFs
  readonly paths: ArtifactPaths
  readonly layout: FolderLayout
  readonly folder: AspectFolder
  readonly index: AspectIndex
  readonly aspects: AspectRecords
}

/** Finds damaged and orphaned files. Reads every record and, unless `digests` is false, all content that has a digest. */
export async function verifyFolder(parts: Parts, o: OpOptions & VerifyOptions): Promise<readonly Problem[]> {
  // fails before anything is read if a later version wrote the folder
  await parts.layout.get()
  await parts.index.refresh()
  const problems: Problem[] = []
  for await (const problem of recordProblems(parts, o)) problems.push(problem)
  for await (const problem of closingProblems(parts, o)) problems.push(problem)
  for await (const problem of artifactProblems(parts, o)) problems.push(problem)
  return problems
}

/** Rebuilds the index and the copies of ends in the records' files. Returns the repaired problems. */
export async function repairFolder(parts: Parts, o: OpOptions): Promise<readonly Problem[]> {
  const examine = async () =>
    (await verifyFolder(parts, { ...o, digests: false })).filter(({ repairable }) => repairable)
  const before = await examine()
  if (before.length === 0) return []
  await parts.index.rebuild()
  const ended = before.map(({ resource }) => resource.slice(aspectUrn('').length))
  await parts.aspects.copyEnds(ended)
  await parts.index.reread(ended)
  const left = new Set((await examine()).map(({ resource }) => resource))
  return before.filter(({ resource }) => !left.has(resource))
}

async function* recordProblems({ fs, folder, index }: Parts, { signal }: OpOptions): AsyncGenerator<Problem> {
  const { names, undecodable } = await decodableNames(fs, folder.dir)
  for (const path of undecodable) yield unreadable(path, NOT_UTF8)
  for (const name of names) {
    signal?.throwIfAborted()
    const uuid = uuidOfFile(name)
    if (uuid === undefined) continue
    const path = folder.path(uuid)
    const stored = await folder.read(uuid)
    if (stored === undefined) {
      if (await folder.exists(uuid)) yield unreadable(path, 'its symbolic link leads nowhere')
      continue
    }
    if ('unreadable' in stored) {
      const isDenied = stored.cause !== undefined || /regular|folder/.test(stored.unreadable)
      yield isDenied
        ? unreadable(path, stored.unreadable)
        : problem('unreadable-record', path, `it is left out of every list: ${stored.unreadable}`)
      continue
    }
    const closing = await folder.closing(uuid)
    const record = await endOf(stored, closing, (by) => folder.exists(by))
    const entry = index.table.get(uuid)
    const isFound =
      entry !== undefined &&
      entry.entity === record.entity &&
      entry.schema === record.schema &&
      entry.validFrom === record.validFrom &&
      (entry.validTo === undefined || record.validTo !== undefined)
    if (!isFound) yield problem('wrong-index', record.id, 'lists do not find it by what its file says', true)
    else if (record.validTo !== undefined && stored.record.validTo === undefined)
      yield problem('wrong-index', record.id, 'its end is not in its file, where other programs look', true)
  }
}

async function* closingProblems({ fs, folder }: Parts, { signal }: OpOptions): AsyncGenerator<Problem> {
  const { names } = await decodableNames(fs, folder.closed)
  for (const name of names) {
    signal?.throwIfAborted()
    const path = join(folder.closed, name)
    const text = await readSmall(fs, path, MAX_SMALL_FILE)
    if (typeof text === 'object') yield unreadable(path, text.unreadable)
    else if (text === undefined) continue
    else if (uuidOfFile(`${name}.json`) === undefined || decodeClosing(text) === undefined)
      yield problem('unreadable-record', path, 'it is not the end of a record')
    else if (!(await folder.exists(name))) yield problem('orphan', path, 'it ends a record that is not there')
  }
}

async function* artifactProblems(parts: Parts, o: OpOptions & VerifyOptions): AsyncGenerator<Problem> {
  const { fs, paths, index, aspects } = parts
  const artifacts = await paths.artifactFolder()
  const leftOut: Problem[] = []
  const omissions = new Omissions((event) => {
    if (event.kind === 'left-out') leftOut.push(unreadable(event.resource, event.message))
  })
  for await (const _ of filesBelow({ fs, omissions }, artifacts, o)) yield* leftOut.splice(0)
  yield* leftOut
  for (const schema of ARTIFACT_SCHEMAS) {
    for (const { uuid, entity: id, validTo } of index.table.of({ schema })) {
      o.signal?.throwIfAborted()
      if (validTo !== undefined) continue
      const path = pathOfFileUrn(id)
      if (path === undefined || !isUrn(id) || !path.startsWith(`${artifacts.path}/`)) continue
      const aspect = await aspects.load(uuid)
      const record =
        aspect?.content !== undefined && aspect.validTo === undefined
          ? artifactOf(id, aspect.content)
          : undefined
      if (record !== undefined) yield* contentProblems(fs, { ...record, id, path }, o)
    }
  }
}

async function* contentProblems(
  fs: LocalFs,
  record: {
    readonly id: string
    readonly path: string
    readonly size?: number
    readonly sha256?: string
  },
  { signal, digests = true }: OpOptions & VerifyOptions,
): AsyncGenerator<Problem> {
  const { id, path, size, sha256 } = record
  const stat = await fs.lstat(path, { bigint: true }).catch(() => undefined)
  if (!stat?.isFile()) {
    yield problem('missing-content', id, `its file ${path} is not there`)
    return
  }
  if (size !== undefined && Number(stat.size) !== size) {
    yield problem('wrong-size', id, `its record says ${size} bytes, its file has ${stat.size}`)
    return
  }
  if (!digests || sha256 === undefined) return
  const hash = createHash('sha256')
  try {
    const range = { start: 0, end: Number(stat.size) }
    const body = readPinned(fs, path, etagOf(stat), range, { ...(signal && { signal }) })
    for await (const chunk of body) hash.update(chunk)
  } catch (e) {
    signal?.throwIfAborted()
    yield unreadable(path, e instanceof Error ? e.message : String(e))
    return
  }
  const actual = hash.digest('hex')
  if (actual !== sha256)
    yield problem('wrong-digest', id, `its record says SHA-256 ${sha256}, its file has ${actual}`)
}

const problem = (kind: Problem['kind'], resource: string, message: string, repairable = false): Problem => ({
  kind,
  resource,
  message,
  repairable,
})

const unreadable = (path: string, why: string): Problem => problem('unreadable', path, why)
