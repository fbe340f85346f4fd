/** Helpers for the tests of stores in buckets. */
import { type BlobStore, contentSource, type IvcapError, isIvcapError } from '@ivcap/core/driver'
import { expect } from 'vitest'
import type { Harness } from '../harness.js'
import { bytesOf, keysOf } from '../support/blobs.js'
import { chunksOf, someBytes } from '../support/bytes.js'

/** Retries after 1 ms, so that tests do not wait longer than necessary. */
export const quickTransfer = { retries: 4, retryDelay: 1, mode: 'create' } as const

/** Returns a source that can be read once and whose size is unknown. */
export const oneShot = (bytes: Uint8Array) => contentSource(chunksOf(bytes))

export async function expectContent(blobs: BlobStore, key: string, expected: Uint8Array): Promise<void> {
  expect(Buffer.compare(await bytesOf(blobs, key), expected), `the bytes of ${key}`).toBe(0)
}

export { bytesOf, keysOf, someBytes }

/** Returns the `IvcapError` with which a promise rejects. @throws if it resolves, or rejects with another error */
export async function ivcapErrorOf(promise: Promise<unknown>): Promise<IvcapError> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (e: unknown) => e,
  )
  if (isIvcapError(error)) return error
  throw error
}

const LONGEST_WAIT_MS = 60_000

/** Resolves as soon as the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LONGEST_WAIT_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${LONGEST_WAIT_MS} ms in vain for: ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Returns the environment of a server that the test run starts, or an empty one if the server isn't installed. */
export async function serverEnvironment(name: string): Promise<NodeJS.ProcessEnv> {
  const response = await fetch(`${process.env['IVCAP_TEST_SERVERS']}/${name}`)
  if (response.status === 404) return {}
  if (!response.ok) throw new Error(await response.text())
  const env: NodeJS.ProcessEnv = Object(await response.json())
  return env
}

interface BucketHarness<P, T, C> {
  readonly capabilities: C
  freshPlace(): P | Promise<P>
  /** Opens a client of the place. It holds connections. */
  open(place: P): T
  clear?(place: P): Promise<void>
}

/** A harness for stores in a bucket. Each store has its own prefix. */
export function bucketHarness<P, T extends { readonly close: () => unknown }, C>({
  capabilities,
  freshPlace,
  open,
  clear,
}: BucketHarness<P, T, C>): Harness<T, C> {
  let place: P | undefined
  const views: T[] = []
  const reopen = async () => {
    if (place === undefined) throw new Error('no place was opened')
    const view = open(place)
    views.push(view)
    return view
  }
  return {
    capabilities,
    open: async () => {
      place = await freshPlace()
      return await reopen()
    },
    reopen,
    close: async () => {
      for (const view of views.splice(0)) await view.close()
      if (place !== undefined) await clear?.(place)
    },
  }
}
