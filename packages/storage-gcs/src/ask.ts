import {
  IvcapError,
  isJsonObject,
  type JsonObject,
  type OpOptions,
  opOptions,
  type RetryOptions,
  retry,
} from '@ivcap/core/driver'
import { explain, parsed, refusal, textOf } from './errors.js'
import type { Place, Subject } from './place.js'
import type { Answer, HttpRequest, Sending } from './transport.js'

export type Budget = Pick<RetryOptions, 'retries' | 'retryDelay'>

/** What the call gives, else the store's own. */
export const budgetOf = (
  { retries, retryDelay }: Pick<Place, keyof Budget>,
  o: OpOptions,
): OpOptions & Budget => ({ retries, retryDelay, ...opOptions(o) })

/** A page of a thousand blobs has some 100 KB. */
const MOST_JSON = 16 << 20

export interface Question<T> extends HttpRequest {
  /** Takes an answer with a status of 2xx, or one of these. It has to read its body, or to destroy it. */
  read(answer: Answer): T | Promise<T>
  readonly statuses?: readonly number[]
}

/**
 * Sends a request, and sends it again after faults that pass, within the budget of the call. Only for requests that may be
 * carried out twice.
 */
export function ask<T>(place: Place, subject: Subject, question: Question<T>, o: Sending): Promise<T> {
  return retry(() => askOnce(place, subject, question, o), budgetOf(place, o))
}

export async function askOnce<T>(
  place: Place,
  subject: Subject,
  { read, statuses = [], ...request }: Question<T>,
  o: Sending,
): Promise<T> {
  const { signal, memory } = o
  signal?.throwIfAborted()
  try {
    const answer = await place.send(request, { ...(signal && { signal }), ...(memory && { memory }) })
    const { statusCode: status = 0 } = answer
    if ((status < 200 || status > 299) && !statuses.includes(status))
      throw await refusal(answer, subject, place)
    const result = await read(answer)
    place.known.exists = true
    return result
  } catch (error) {
    signal?.throwIfAborted()
    throw explain(error, subject, place)
  }
}

/** For answers whose body tells nothing. */
export const ignore = async (answer: Answer): Promise<void> => void (await textOf(answer))

export async function jsonOf(answer: Answer): Promise<JsonObject> {
  const told = parsed(await textOf(answer, MOST_JSON))
  if (isJsonObject(told)) return told
  throw new IvcapError(
    'protocol',
    `the server answers with something that is no JSON object: check that apiEndpoint is one of Google Cloud Storage`,
  )
}
