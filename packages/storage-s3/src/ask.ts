import type { S3Client } from '@aws-sdk/client-s3'
import { type OpOptions, retry, type TransferOptions } from '@ivcap/core/driver'
import { explain } from './errors.js'
import type { Place, Subject } from './place.js'

type Send<T> = (client: S3Client, o: { abortSignal?: AbortSignal }) => Promise<T>
export type Patience = Partial<Pick<TransferOptions, 'retries' | 'retryDelay'>>

/** For what comes without options of its own. */
const RETRIES = 5
const RETRY_DELAY = 100

/** Sends a request, again after faults that pass, and tells what a failure means. Only for what may be done twice. */
export function ask<T>(place: Place, subject: Subject, send: Send<T>, o: OpOptions & Patience): Promise<T> {
  const { retries = RETRIES, retryDelay = RETRY_DELAY, signal } = o
  return retry(() => askOnce(place, subject, send, o), { retries, retryDelay, signal })
}

export async function askOnce<T>(
  place: Place,
  subject: Subject,
  send: Send<T>,
  { signal }: OpOptions,
): Promise<T> {
  signal?.throwIfAborted()
  try {
    const answer = await send(place.client, { ...(signal && { abortSignal: signal }) })
    place.known.exists = true
    return answer
  } catch (error) {
    signal?.throwIfAborted()
    throw explain(error, subject, place)
  }
}
