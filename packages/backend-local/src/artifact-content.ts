import { type ByteSource, cloneFile, IvcapError, type OpOptions, withDigest } from '@ivcap/core/driver'
import { explained } from './fs-error.js'
import { hostFs, type LocalFs } from './local-fs.js'
import { checkUnchanged, syncPath, type Written, writeSource } from './staging.js'

/**
 * Makes a file of the source's bytes; tells their SHA-256 where they passed through our hands, or `digest` asks for it.
 * A file on this machine is copied by the kernel.
 */
export async function writeContent(
  fs: LocalFs,
  path: string,
  source: ByteSource,
  o: OpOptions & Written & { readonly digest: boolean },
): Promise<string | undefined> {
  if (source.native?.kind === 'file' && fs === hostFs)
    return await copyFile(fs, source.native.path, path, source, o)
  const hashed = withDigest(source)
  await writeSource(fs, path, hashed.source, o)
  return hashed.sha256()
}

async function copyFile(
  fs: LocalFs,
  from: string,
  to: string,
  source: ByteSource,
  o: OpOptions & Written & { readonly digest: boolean },
): Promise<string | undefined> {
  const { size, sha256 } = await explained('copy the file', from, undefined, () =>
    cloneFile(source, from, to, o),
  )
  if (source.size !== undefined && size !== source.size) {
    const message = `${from} had ${source.size} bytes and now has ${size}: try again when nobody writes to it`
    throw new IvcapError('integrity', message, { resource: from })
  }
  await checkUnchanged(source)
  if (o.fsync) await syncPath(fs, to)
  return sha256
}
