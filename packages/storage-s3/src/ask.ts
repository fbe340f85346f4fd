import type { S3Client } from '@aws-sdk/client-s3'
import { abortable, type OpOptions, opOptions, type RetryOptions, retry } from '@ivcap/core/driver'
import { explain } from './errors.js'
import type { Place, Subject } from './place.js'

type Send<T> = (client: S3Client, o: { abortSignal?: AbortSignal }) => Promise<T>

export type Budget = Pick<RetryOptions, 'retries' | 'retryDelay'>

/** What the call gives, else the store's own. */
export const budgetOf = (
  { retries, retryDelay }: Pick<Place, keyof Budget>,
  o: OpOptions,
): OpOptions & Budget => ({
  retries,
  retryDelay,
  ...opOptions(o),
})

/**
 * Sends a request, and sends it again after faults that pass, within the budget of the call. Only for requests that may be
 * carried out twice.
 */
export function ask<T>(
  place: Place,
  subject: Subject,
  send: Send<T>,
  o: OpOptions & Pick<RetryOptions, 'progress'>,
): Promise<T> {
  const attempt = () => askOnce(place, subject, send, o)
  return retry(attempt, { ...budgetOf(place, o), progress: o.progress })
}

/** Sends a request once. Where credentials come from may not hear the signal: the wait for them ends with it all the same. */
export async function askOnce<T>(
  place: Place,
  subject: Subject,
  send: Send<T>,
  { signal }: OpOptions,
): Promise<T> {
  signal?.throwIfAborted()
  try {
    const sending = send(place.client, { ...(signal && { abortSignal: signal }) })
    const answer = await abortable(sending, signal)
    place.known.exists = true
    return answer
  } catch (error) {
    signal?.throwIfAborted()
    throw explain(error, subject, place)
  }
}
