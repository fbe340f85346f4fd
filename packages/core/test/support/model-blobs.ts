import { IvcapError } from '../../src/model/errors.js'
import type { BlobInfo, BlobStore, ByteSource } from '../../src/ports/index.js'
import { resolveRange } from '../../src/streams/range.js'

/** What a blob store holds: keys in order, and bytes. */
export class Blobs {
  readonly #bytes = new Map<string, { bytes: Uint8Array; version: number }>()
  #keys: string[] = []
  #versions = 0

  read(key: string): { info: BlobInfo; bytes: Uint8Array } {
    const found = this.#bytes.get(key)
    if (found === undefined) throw new IvcapError('not-found', `no blob at ${key}`, { resource: key })
    return {
      info: { key, size: found.bytes.byteLength, etag: String(found.version) },
      bytes: found.bytes,
    }
  }

  write(key: string, bytes: Uint8Array, mode: 'create' | 'overwrite'): BlobInfo {
    const taken = this.#bytes.has(key)
    if (taken && mode === 'create')
      throw new IvcapError('already-exists', `${key} is taken`, { resource: key })
    if (!taken) this.#keys.splice(this.#after(key), 0, key)
    this.#bytes.set(key, { bytes, version: ++this.#versions })
    return this.read(key).info
  }

  delete(key: string): void {
    if (this.#bytes.delete(key)) this.#keys.splice(this.#after(key) - 1, 1)
  }

  /** The first key after one that starts with a prefix. */
  next(prefix: string, after: string): string | undefined {
    const key = this.#keys[prefix > after ? this.#before(prefix) : this.#after(after)]
    return key?.startsWith(prefix) ? key : undefined
  }

  keys(prefix = ''): readonly string[] {
    return this.#keys.filter((key) => key.startsWith(prefix))
  }

  /** How many keys are not above it. */
  #after(key: string): number {
    return this.#count((k) => k <= key)
  }

  #before(key: string): number {
    return this.#count((k) => k < key)
  }

  #count(below: (key: string) => boolean): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const mid = (low + high) >>> 1
      if (below(this.#keys[mid] ?? '')) low = mid + 1
      else high = mid
    }
    return low
  }
}

type Call = 'put' | 'head' | 'get' | 'list' | 'delete'

/** What happens around the requests of one client; by default, nothing. */
export interface Network {
  /** Before a request is carried out. */
  arrive?(call: Call, key: string): Promise<void>
  /** After it was, before the client knows. */
  answer?(call: Call, key: string): Promise<void>
  /** While a listing goes on, between two of its keys. */
  meanwhile?(): Promise<void> | undefined
}

/** The model of a blob store: each request takes effect at one moment, but a listing goes on while others write. */
export function modelBlobs(blobs: Blobs, network: Network = {}): BlobStore {
  const request = async <T>(call: Call, key: string, run: () => T | Promise<T>): Promise<T> => {
    await network.arrive?.(call, key)
    const result = await run()
    await network.answer?.(call, key)
    return result
  }
  return {
    uri: 'model:',
    atomicCreate: 'always',
    put: async (key, body, { mode, signal, onProgress }) => {
      signal?.throwIfAborted()
      const bytes = await bytesOf(body)
      const info = await request('put', key, () => blobs.write(key, bytes, mode))
      onProgress?.(info.size, info.size)
      return info
    },
    head: (key) => request('head', key, () => blobs.read(key).info),
    get: (key, { range, ifMatch }) =>
      request('get', key, () => {
        const { info, bytes } = blobs.read(key)
        if (ifMatch !== undefined && ifMatch !== info.etag)
          throw new IvcapError('precondition-failed', `${key} is not ${ifMatch}`, { resource: key })
        const { start, end } = resolveRange(range, info.size)
        return { info, range: { start, end }, body: streamOf(bytes.subarray(start, end)) }
      }),
    list: ({ prefix, startAfter = '', limit, delimiter }) =>
      request('list', prefix, async () => {
        const items: BlobInfo[] = []
        const prefixes: string[] = []
        const page = (more: boolean) => ({ items, ...(delimiter && { prefixes }), more })
        for (let after = startAfter; ; ) {
          const key = blobs.next(prefix, after)
          if (key === undefined) return page(false)
          const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length) + 1
          const folder = end > 0 ? key.slice(0, end) : undefined
          after = folder === undefined ? key : `${folder}\x7f`
          if (folder !== undefined && folder <= startAfter) continue
          if (items.length + prefixes.length === limit) return page(true)
          if (folder === undefined) items.push(blobs.read(key).info)
          else prefixes.push(folder)
          const pause = network.meanwhile?.()
          if (pause !== undefined) await pause
        }
      }),
    delete: (key) => request('delete', key, () => blobs.delete(key)),
  }
}

async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  if (source.native?.kind === 'bytes') return source.native.bytes
  return new Uint8Array(await new Response(source.open()).arrayBuffer())
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull(controller) {
        if (bytes.byteLength > 0) controller.enqueue(bytes.slice())
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}
