import type { ByteSource, OpOptions } from '@ivcap/core/driver'
import { copyFile, withDigest } from '@ivcap/core/internal'
import { hostFs, type LocalFs } from '../fs/local-fs.js'
import { syncPath, type Written, writeSource } from '../fs/staging.js'

/**
 * Makes a file of the source's bytes; tells their SHA-256 where they passed through our hands, or `digest` asks for it.
 * A file on this machine shares its blocks with the copy, where the file system can.
 */
export async function writeContent(
  fs: LocalFs,
  path: string,
  source: ByteSource,
  o: OpOptions & Written & { readonly digest: boolean },
): Promise<string | undefined> {
  if (source.native?.kind === 'file' && fs === hostFs) {
    const { sha256 } = await copyFile(source, source.native.path, path, o)
    if (o.fsync) await syncPath(fs, path)
    return sha256
  }
  const hashed = withDigest(source)
  await writeSource(fs, path, hashed.source, o)
  return hashed.sha256()
}
