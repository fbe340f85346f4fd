import {
  type BlobInfo,
  type BlobStore,
  contentSource,
  IvcapError,
  progressOf,
  resolveRange,
} from '@ivcap/core/driver'
import { pageOfKeys } from '../src/support/blobs.js'
import { collect } from '../src/support/bytes.js'

/** The plainest blob store that keeps every promise: what the suite is tried on where no package is at hand. */
export function mapBlobs(blobs = new Map<string, { info: BlobInfo; bytes: Uint8Array }>()): BlobStore {
  let version = 0
  const find = (key: string) => {
    const found = blobs.get(key)
    if (found === undefined) throw new IvcapError('not-found', `no blob ${key}`, { resource: key })
    return found
  }
  return {
    uri: 'map:',
    atomicCreate: 'always',
    async put(key, body, o) {
      checkKey(key)
      const progress = progressOf(o, body.size)
      let size = 0
      const counted = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          size += chunk.byteLength
          progress.report(size)
          controller.enqueue(chunk)
        },
      })
      const stream = body.open(o.signal === undefined ? {} : { signal: o.signal })
      const bytes = (await collect(stream.pipeThrough(counted))).slice()
      o.signal?.throwIfAborted()
      if (o.mode === 'create' && blobs.has(key)) throw new IvcapError('already-exists', `${key} is taken`)
      const info = { key, size, etag: `"${++version}"` }
      blobs.set(key, { info, bytes })
      progress.finish(size)
      return info
    },
    async head(key, o) {
      await turn(o.signal)
      return find(key).info
    },
    async get(key, o) {
      await turn(o.signal)
      const { info, bytes } = find(key)
      if (o.ifMatch !== undefined && o.ifMatch !== info.etag) {
        throw new IvcapError('precondition-failed', `${key} has changed`, { resource: key })
      }
      const range = resolveRange(o.range, info.size)
      const source = contentSource(bytes.subarray(range.start, range.end))
      return { info, range, body: source.open(o.signal === undefined ? {} : { signal: o.signal }) }
    },
    async list(q, o) {
      await turn(o.signal)
      return pageOfKeys([...blobs.keys()], q, (key) => find(key).info)
    },
    async delete(key, o) {
      await turn(o.signal)
      blobs.delete(key)
    },
  }
}

/** As the port has it; whoever writes other keys fails in a folder. */
function checkKey(key: string): void {
  if (key.length <= 1024 && key.split('/').every((segment) => /^[\x20-\x7e]{1,255}$/.test(segment))) return
  throw new IvcapError('invalid-argument', `not a key: ${key}`, { argument: 'key' })
}

/** Lets others run, as any I/O does. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise((resolve) => setImmediate(resolve))
  signal?.throwIfAborted()
}
