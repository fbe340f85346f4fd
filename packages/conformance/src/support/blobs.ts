import {
  type BlobInfo,
  type BlobPage,
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

/** Puts content under a key. The key must be free unless `mode` is `overwrite`. */
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

/** Returns all keys with a prefix, in pages of `limit` keys. */
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

export type ListQuery = Parameters<BlobStore['list']>[0]

/** Returns the page that a listing of these keys must return. Tests compare stores with it, and test stores use it to list. */
export function pageOfKeys(
  keys: readonly string[],
  { prefix, startAfter = '', limit, delimiter }: ListQuery,
  infoOf: (key: string) => BlobInfo,
): BlobPage {
  const folderOf = (key: string) => {
    const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length)
    return end < 0 ? key : key.slice(0, end + 1)
  }
  const merged = new Set(keys.filter((key) => key.startsWith(prefix)).map(folderOf))
  const listed = [...merged].filter((name) => name > startAfter).sort()
  const page = listed.slice(0, limit)
  return {
    items: page.filter((name) => !name.endsWith('/')).map(infoOf),
    ...(delimiter !== undefined && { prefixes: page.filter((name) => name.endsWith('/')) }),
    more: listed.length > limit,
  }
}
