import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ByteSource, IvcapErrorCode } from '@ivcap/core/driver'
import { fileSource } from '@ivcap/core/internal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { allArtifacts, download, upload } from '../support/artifacts.js'
import { allAspects } from '../support/aspects.js'
import { expectBytes, MiB, someBytes } from '../support/bytes.js'
import { expectError } from '../support/expect-error.js'
import { transfer } from '../support/transfer.js'
import type { BackendPlace } from './place.js'

const bytes = someBytes(6 * MiB + 5)
const draft = { name: 'same.bin', mimeType: 'application/octet-stream' }

/** Changes of a file that is about to be uploaded, with the error code of the upload. */
const changes: readonly (readonly [string, (path: string) => void, IvcapErrorCode])[] = [
  ['is cut short', (path) => truncateSync(path, 1000), 'integrity'],
  ['is emptied', (path) => truncateSync(path, 0), 'integrity'],
  ['grows', (path) => appendFileSync(path, 'more'), 'integrity'],
  [
    'is replaced',
    (path) => {
      writeFileSync(`${path}.new`, someBytes(bytes.byteLength, 7))
      renameSync(`${path}.new`, path)
    },
    'integrity',
  ],
  ['is removed', (path) => rmSync(path), 'not-found'],
]

/** Files that change during an upload, and files with more content than their size. An upload is complete and correct, or fails. */
export function worldMovedSources(place: BackendPlace): void {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ivcap-sources-'))
    path = join(folder, 'source.bin')
    writeFileSync(path, bytes)
  })
  afterEach(() => rm(folder, { recursive: true }))

  const failsWith = async (source: ByteSource, code: IvcapErrorCode) => {
    const { id, etag } = await upload(place.at, 'earlier', { name: draft.name })
    const before = await allAspects(place.at)
    await expectError(place.at.artifacts.create(source, draft, transfer), code)
    expect(await allArtifacts(place.at)).toHaveLength(1)
    expect(await allAspects(place.at)).toEqual(before)
    expect((await place.at.artifacts.stat(id, {})).etag).toBe(etag)
    expectBytes(await download(place.at, id), new TextEncoder().encode('earlier'))
  }

  it.each(changes)('a file that %s before the upload begins', async (_, change, code) => {
    const source = await fileSource(path, 'filePath')
    change(path)
    await failsWith(source, code)
  })

  it.each(changes)('a file that %s while it is read', async (_, change, code) => {
    // Without `native`, every backend reads the stream.
    const { native: _native, ...file } = await fileSource(path, 'filePath')
    const moving: ByteSource = { ...file, open: (o) => changedAfterFirst(file.open(o), () => change(path)) }
    await failsWith(moving, code)
  })

  it.runIf(process.platform === 'linux')('a file of /proc, which says that it is empty', async () => {
    const source = await fileSource('/proc/version', 'filePath')
    const { id, size } = await place.at.artifacts.create(source, draft, transfer)
    const content = await readFile('/proc/version')
    expect(size).toBe(content.byteLength)
    expectBytes(await download(place.at, id), content)
  })
}

/** Returns the stream, and calls `change` between its first two chunks. */
function changedAfterFirst(
  stream: ReadableStream<Uint8Array>,
  change: () => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  let chunks = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (chunks === 1) change()
        chunks += 1
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
