import { type ByteSource, IvcapError, type OpOptions, withDigest } from '@ivcap/core/driver'
import { explained } from './fs-error.js'
import { cloneFile, hostFs, type LocalFs, orAbsent } from './local-fs.js'
import { checkUnchanged, syncPath, type Written, writeSource } from './staging.js'

/** How often a copy by the kernel is asked how far it is, in ms. */
const POLL = 50

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
  const sizeNow = async () => Number((await orAbsent(fs.stat(to, { bigint: true })))?.size ?? 0)
  const poll = setInterval(() => {
    // a poll that fails has nothing to tell; the copy itself will
    sizeNow().then(
      (size) => copying && o.report(size),
      () => {},
    )
  }, POLL)
  let copying = true
  const hashed = withDigest(source)
  try {
    // neither may run on when this returns: the file is removed then
    const results = await Promise.allSettled([
      explained('copy the file', from, undefined, () => cloneFile(from, to)),
      o.digest ? drain(hashed.source.open({ keep: 1, ...(o.signal && { signal: o.signal }) })) : undefined,
    ])
    o.signal?.throwIfAborted()
    for (const result of results) if (result.status === 'rejected') throw result.reason
  } finally {
    copying = false
    clearInterval(poll)
  }
  const size = await sizeNow()
  if (source.size !== undefined && size !== source.size) {
    const message = `${from} had ${source.size} bytes and now has ${size}: try again when nobody writes to it`
    throw new IvcapError('integrity', message, { resource: from })
  }
  await checkUnchanged(source)
  if (o.fsync) await syncPath(fs, to)
  return o.digest ? hashed.sha256() : undefined
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stream.getReader()
  while (!(await reader.read()).done);
}
