import {
  type BlobInfo,
  type BlobStore,
  type ByteRange,
  contentSource,
  type OpOptions,
  type TransferOptions,
} from '@ivcap/core/driver'
import type { Content } from '@ivcap/core/internal'
import { collect } from './bytes.js'
import { transfer } from './transfer.js'

type PutOptions = OpOptions &
  Partial<TransferOptions> & { readonly mode?: 'create' | 'overwrite'; readonly size?: number }

/** Puts content under a key that must be free, unless told to overwrite. */
export async function put(
  blobs: BlobStore,
  key: string,
  content: Content,
  { size, mode = 'create', ...o }: PutOptions = {},
): Promise<BlobInfo> {
  const source = contentSource(content, size === undefined ? {} : { size })
  return blobs.put(key, source, { ...transfer, mode, ...o })
}

export async function bytesOf(blobs: BlobStore, key: string, range?: ByteRange): Promise<Uint8Array> {
  const { body } = await blobs.get(key, range === undefined ? {} : { range })
  return collect(body)
}

/** All keys below a prefix, `limit` at a time. */
export async function keysOf(blobs: BlobStore, prefix = '', limit = 1000): Promise<readonly string[]> {
  const keys: string[] = []
  for (;;) {
    const startAfter = keys.at(-1)
    const page = await blobs.list({ prefix, limit, ...(startAfter !== undefined && { startAfter }) }, {})
    if (page.items.length > limit) throw new Error(`asked for ${limit} keys, got ${page.items.length}`)
    if (page.more && page.items.length === 0) throw new Error('a page said more, and had nothing')
    keys.push(...page.items.map((i) => i.key))
    if (!page.more) return keys
  }
}
