import { join } from 'node:path'
import type { OpOptions } from '@ivcap/core/driver'
import { entriesOf, errnoOf, type LocalFs } from '../fs/local-fs.js'
import { nameOfSegment, segmentOfName } from './keys.js'

export interface ListedBlob {
  readonly key: string
  readonly path: string
}

/** A folder, listed if there is a delimiter. Its key ends with `/`. */
export interface ListedPrefix {
  readonly key: string
  readonly path?: undefined
}

/**
 * Yields keys in ASCII order that start with `prefix` and come after `startAfter`. Opens only folders that can contain such keys,
 * one after the other on demand; with a delimiter, opens only one. A folder that another process is filling or emptying may be
 * listed as a prefix although no blob is below it.
 */
export async function* blobsBelow(
  fs: LocalFs,
  root: string,
  q: { readonly prefix: string; readonly startAfter?: string; readonly delimiter?: '/' },
  o: OpOptions,
): AsyncGenerator<ListedBlob | ListedPrefix> {
  const after = q.startAfter ?? ''
  const isWanted = (key: string) => key.startsWith(q.prefix) && key > after
  // the key of a folder ends with a slash, and all keys in the folder start with it
  const mayHold = (key: string) =>
    q.delimiter === undefined
      ? (key.startsWith(q.prefix) || q.prefix.startsWith(key)) && (key > after || after.startsWith(key))
      : isWanted(key)

  async function* below(dir: string, base: string): AsyncGenerator<ListedBlob | ListedPrefix> {
    o.signal?.throwIfAborted()
    // a page may need only a few of many entries, so their paths are joined later
    const entries: { readonly key: string; readonly name: string }[] = []
    for (const { name, kind } of await entriesOf(fs, dir).catch((e: unknown) => noFolder(e, base))) {
      const segment = segmentOfName(name)
      if (segment === undefined) continue
      const key = kind === 'folder' ? `${base}${segment}/` : base + segment
      const isInRange = kind === 'folder' ? mayHold(key) : kind === 'file' && isWanted(key)
      if (isInRange) entries.push({ key, name })
    }
    // keys of folders end with a slash, which counts in the order: `a-b` comes before `a/b`
    entries.sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const { key, name } of entries) {
      const path = join(dir, name)
      if (!key.endsWith('/')) yield { key, path }
      else if (q.delimiter === undefined) yield* below(path, key)
      else yield { key }
    }
  }

  const base = q.prefix.slice(0, q.prefix.lastIndexOf('/') + 1)
  const segments = base.split('/').slice(0, -1)
  if (segments.includes('') || !/^[\x20-\x7e]*$/.test(q.prefix)) return
  yield* below(join(root, ...segments.map(nameOfSegment)), base)
}

/** If the prefix is the path of a blob, nothing is below it. At the root, a file instead of a folder is an error. */
function noFolder(e: unknown, base: string): [] {
  if (base !== '' && errnoOf(e) === 'ENOTDIR') return []
  throw e
}
