import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import * as v from 'valibot'
import { artifactUrn, artifactUuid, type Urn } from '../../model/urn.js'
import type { ByteSource } from '../../ports/index.js'
import { hashAll } from '../../streams/hasher.js'
import type { UploadMemory, UploadMemoryOptions } from '../types.js'
import { regularFile, seenBy } from './file-source.js'
import { createMd5 } from './hash.js'
import { defaultStateDir, type StatCache, statCache } from './stat-cache.js'

/** Maximum bytes of a sidecar, which is one line of about 90. A longer file is not a sidecar and is not read. */
const LONGEST_SIDECAR = 1024

interface Sidecar {
  readonly md5: string
  readonly id: Urn
}

/** `<md5 hex>|<artifact urn>` and a line end: the format of IVCAP's Python client and command line. */
const SidecarText = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[0-9a-f]{32}\|\S+$/i),
  v.transform((line): Sidecar => {
    const uuid = artifactUuid(line.slice(33)) ?? ''
    return { md5: line.slice(0, 32).toLowerCase(), id: artifactUrn(uuid) }
  }),
  v.check(({ id }) => artifactUuid(id) !== undefined),
)

/** See `Runtime.uploadMemory`. */
export function uploadMemory({ stateDir = defaultStateDir() ?? false }: UploadMemoryOptions): UploadMemory {
  const cache = stateDir === false ? undefined : statCache(resolve(stateDir))
  return {
    async recall(path, { signal } = {}) {
      signal?.throwIfAborted()
      const absolute = resolve(path)
      try {
        const sidecar = await readSidecar(sidecarOf(absolute))
        if (sidecar === undefined) return undefined
        const found = await stat(absolute, { bigint: true })
        if (!found.isFile()) return undefined
        const source = regularFile(absolute, found)
        const md5 =
          (await cache?.get(absolute, found)) ?? (await hashAndKeep(absolute, source, cache, signal))
        return md5 === sidecar.md5 ? sidecar.id : undefined
      } catch {
        signal?.throwIfAborted()
        return undefined
      }
    },
    async remember(path, id, { md5: known, source: uploaded, signal } = {}) {
      signal?.throwIfAborted()
      const absolute = resolve(path)
      try {
        const source = uploaded ?? regularFile(absolute, await stat(absolute, { bigint: true }))
        const md5 = known ?? (await hashAll(source, createMd5(), signal))
        // the artifact must not be remembered for content that differs from what was uploaded
        if ((await source.unchanged?.()) !== true) return
        await writeSidecar(sidecarOf(absolute), { md5, id })
        const seen = known !== undefined && uploaded === undefined ? undefined : seenBy(source)
        if (seen !== undefined) await cache?.set(absolute, seen, md5)
      } catch {
        signal?.throwIfAborted()
      }
    },
  }
}

const sidecarOf = (path: string): string => join(dirname(path), `.ivcap-${basename(path)}.txt`)

async function readSidecar(path: string): Promise<Sidecar | undefined> {
  const found = await stat(path)
  if (!found.isFile() || found.size > LONGEST_SIDECAR) return undefined
  const parsed = v.safeParse(SidecarText, await readFile(path, 'utf8'))
  return parsed.success ? parsed.output : undefined
}

async function writeSidecar(path: string, { md5, id }: Sidecar): Promise<void> {
  const temporary = join(dirname(path), `.ivcap-${randomUUID()}.part`)
  try {
    await writeFile(temporary, `${md5}|${id}\n`, { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function hashAndKeep(
  path: string,
  source: ByteSource,
  cache: StatCache | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const md5 = await hashAll(source, createMd5(), signal)
  const seen = seenBy(source)
  if (seen !== undefined) await cache?.set(path, seen, md5)
  return md5
}
