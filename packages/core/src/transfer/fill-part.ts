import type { NodeBody } from '#runtime'
import { IvcapError, isIvcapError } from '../model/errors.js'
import type { ByteRange, OpOptions } from '../ports/index.js'
import { DEFAULT_RETRIES, opOptions, retry } from '../retry/retry.js'
import type { Part } from './part.js'

/** State that is shared by the parts of one download. */
export interface DownloadState {
  /** Bytes that have arrived, over all parts. */
  received: number
}

interface FillOptions extends OpOptions {
  /** A body that is already open and begins at the start of the part. */
  readonly body: NodeBody | undefined
  /** Opens a body for the missing range by one request. */
  open(range: Required<ByteRange>): Promise<NodeBody>
  /** Converts a failure of a body to an error. */
  explain(error: unknown): IvcapError
  /** Key of the blob, for error messages. */
  readonly key: string
  readonly signal: AbortSignal
  /** The count of attempts restarts if bytes have arrived since the last failure, for this part or another. */
  readonly download: DownloadState
}

/** Fills a part completely. Resumes a broken connection where it broke. Afterwards no connection is in use. */
export async function fillPart(
  part: Part,
  { body: first, open, explain, key, download, ...o }: FillOptions,
): Promise<void> {
  let body = first
  const attempt = async () => {
    const { position: start, end } = part
    body ??= await open({ start, end })
    try {
      await pour(body, part, download, o.signal)
    } catch (error) {
      // a connection may break after the last byte
      if (isIvcapError(error) || part.position < end) throw explain(error)
    } finally {
      body = undefined
    }
    if (part.position === end) return
    const message = `the server sent ${part.position - start} bytes of ${key}, not ${end - start}`
    throw new IvcapError('unavailable', message)
  }
  return await retry(attempt, { ...DEFAULT_RETRIES, ...opOptions(o), progress: () => download.received })
}

async function pour(body: NodeBody, part: Part, download: DownloadState, signal: AbortSignal): Promise<void> {
  const onAbort = () => {
    part.fail(signal.reason)
    body.destroy()
  }
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    await flowing(body, part, download)
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', onAbort)
    await closed(body)
  }
}

/** Settles at the end of the body. Pauses the body while the part has no room. */
function flowing(body: NodeBody, part: Part, download: DownloadState): Promise<void> {
  return new Promise((resolve, reject) => {
    body.once('error', reject)
    body.once('end', resolve)
    body.once('close', () => {
      if (!body.readableEnded) reject(new Error('the connection was closed'))
    })
    if (body.destroyed) return reject(new Error('the connection was closed'))
    body.on('data', (bytes) => {
      try {
        part.add(bytes)
        download.received += bytes.byteLength
      } catch (error) {
        return reject(error)
      }
      if (part.hasRoom) return
      body.pause()
      void part.room().then(() => body.resume())
    })
  })
}

/** Destroys the body. Resolves when its connection is free or closed. */
export async function closed(body: NodeBody): Promise<void> {
  if (body.closed) return
  const closing = new Promise<void>((resolve) => body.once('close', resolve))
  body.destroy()
  await closing
}
