/** In a browser an upload of a File is remembered in localStorage, until the same File is chosen again. */
import type { ByteSource } from '@ivcap/core/driver'
import * as v from 'valibot'
import { BegunJson, begunOf, parseEntry } from './begun.js'
import type { Claim, Journal } from './types.js'

export type { Begun, Claim, Journal, Journals } from './types.js'

const PREFIX = 'ivcap-upload:'

const Entry = v.object({ ...BegunJson.entries, file: v.string() })

/** The parts of the web platform that are needed; either may be missing or forbidden. */
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

/** The places that this page holds. */
const held = new Set<string>()

/** See `Journals.openJournal`. `stateDir` names no place here, but false switches it off. */
export function openJournal(stateDir: string | false | undefined): Journal {
  if (stateDir === false) return { claim: async () => undefined }
  return {
    async claim(source, subject) {
      const file = identityOf(source)
      const storage = storageOf(globalThis)
      if (file === undefined || storage === undefined) return undefined
      const key = `${PREFIX}${subject}:${file.name}`
      if (held.has(key)) return undefined
      held.add(key)
      const unlock = await lock(globalThis, key)
      const release = () => {
        held.delete(key)
        unlock?.()
      }
      if (unlock === undefined) {
        held.delete(key)
        return undefined
      }
      const entry = parseEntry(Entry, attempt(() => storage.getItem(key)) ?? null)
      const claim: Claim = {
        ...(entry?.file === file.identity && { earlier: begunOf(entry) }),
        keep: async (begun) => {
          attempt(() => storage.setItem(key, JSON.stringify({ ...begun, file: file.identity })))
        },
        forget: async () => {
          attempt(() => storage.removeItem(key))
        },
        release,
      }
      return claim
    },
  }
}

/** A page sees no more of a file than this: what tells a changed one from what it was is time and size. */
function identityOf({ native }: ByteSource): { name: string; identity: string } | undefined {
  if (native?.kind !== 'blob') return undefined
  const { blob } = native
  if (!('name' in blob && 'lastModified' in blob)) return undefined
  const name = String(blob.name)
  return { name, identity: [blob.size, blob.lastModified, blob.type, name].join(' ') }
}

/** Asking for it throws where a page may not store anything. */
function storageOf(web: Web): Web['localStorage'] {
  return attempt(() => web.localStorage)
}

/**
 * A lock that other tabs see, and that goes with the page; where there are no locks, one is as good as held.
 *
 * @returns what lets it go; undefined where somebody else holds it
 */
function lock(web: Web, name: string): Promise<(() => void) | undefined> {
  const locks = web.navigator?.locks
  if (locks === undefined) return Promise.resolve(() => {})
  return new Promise((resolve) => {
    const asked = locks.request(name, { ifAvailable: true }, (granted) => {
      if (granted === null) {
        resolve(undefined)
        return undefined
      }
      return new Promise<void>((done) => resolve(done))
    })
    asked.catch(() => resolve(() => {}))
  })
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
