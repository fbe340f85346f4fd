/** `#pending-uploads` in browsers: stored in localStorage until the user selects the same File again. */
import type { ByteSource } from '@ivcap/core/driver'
import * as v from 'valibot'
import { PendingUploadJson, type PendingUploads, parseEntry } from './types.js'

const PREFIX = 'ivcap-upload:'

const Entry = v.object({ ...PendingUploadJson.entries, file: v.string() })

/** The parts of the web platform that are used. Each may be missing, or forbidden. */
interface Web {
  readonly fetch: unknown
  readonly localStorage?: {
    getItem(key: string): string | null
    setItem(key: string, value: string): void
    removeItem(key: string): void
  }
  readonly navigator?: {
    readonly locks?: {
      request(
        name: string,
        o: { readonly ifAvailable: true },
        run: (lock: unknown) => Promise<void> | undefined,
      ): Promise<unknown>
    }
  }
}

/** The entries that this page has reserved. */
const reserved = new Set<string>()

/** @param stateDir false: no records are kept; a folder has no meaning here */
export function openPendingUploads(stateDir: string | false | undefined): PendingUploads {
  if (stateDir === false) return { acquire: async () => undefined }
  return {
    async acquire(source, subject) {
      const file = fileIdentity(source)
      const storage = localStorageOf(globalThis)
      if (file === undefined || storage === undefined) return undefined
      const key = `${PREFIX}${subject}:${file.name}`
      if (reserved.has(key)) return undefined
      reserved.add(key)
      const unlock = await lock(globalThis, key)
      if (unlock === undefined) {
        reserved.delete(key)
        return undefined
      }
      const entry = parseEntry(Entry, attempt(() => storage.getItem(key)) ?? null)
      return {
        ...(entry?.file === file.identity && { earlier: { id: entry.id, dataHref: entry.dataHref } }),
        save: async (upload) => {
          attempt(() => storage.setItem(key, JSON.stringify({ ...upload, file: file.identity })))
        },
        clear: async () => {
          attempt(() => storage.removeItem(key))
        },
        release: () => {
          reserved.delete(key)
          unlock()
        },
      }
    },
  }
}

/** A page can read no more of a file's identity than this. Size and time distinguish a changed file from the earlier one. */
function fileIdentity({ native }: ByteSource): { name: string; identity: string } | undefined {
  if (native?.kind !== 'blob') return undefined
  const { blob } = native
  if (!('name' in blob && 'lastModified' in blob)) return undefined
  const name = String(blob.name)
  return { name, identity: [blob.size, blob.lastModified, blob.type, name].join(' ') }
}

/** Reading the property throws if the page may not store anything. */
const localStorageOf = (web: Web): Web['localStorage'] => attempt(() => web.localStorage)

/**
 * Acquires a lock that other tabs respect, and that ends with the page. If the browser has no locks, it is granted.
 *
 * @returns the function that releases it; undefined if another tab holds it
 */
function lock(web: Web, name: string): Promise<(() => void) | undefined> {
  const locks = web.navigator?.locks
  if (locks === undefined) return Promise.resolve(() => {})
  return new Promise((resolve) => {
    const request = locks.request(name, { ifAvailable: true }, (granted) => {
      if (granted === null) {
        resolve(undefined)
        return undefined
      }
      return new Promise<void>((done) => resolve(done))
    })
    request.catch(() => resolve(() => {}))
  })
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
