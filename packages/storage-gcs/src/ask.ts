import { IvcapError, isJsonObject, type JsonObject, retry, type TransferOptions } from '@ivcap/core/driver'
import { explain, parsed, refusal, textOf } from './errors.js'
import type { Place, Subject } from './place.js'
import type { Answer, HttpRequest, Sending } from './transport.js'

export type Patience = Partial<Pick<TransferOptions, 'retries' | 'retryDelay'>>

/** For what comes without options of its own. */
const RETRIES = 5
const RETRY_DELAY = 100

/** A page of a thousand blobs has some 100 KB. */
const MOST_JSON = 16 << 20

export interface Question<T> extends HttpRequest {
  /** Takes an answer with a status of 2xx, or one of these. It has to read its body, or to destroy it. */
  read(answer: Answer): T | Promise<T>
  readonly statuses?: readonly number[]
}

/** Sends a request, again after faults that pass, and tells what a failure means. Only for what may be done twice. */
export function ask<T>(
  place: Place,
  subject: Subject,
  question: Question<T>,
  o: Sending & Patience,
): Promise<T> {
  const { retries = RETRIES, retryDelay = RETRY_DELAY, signal } = o
  return retry(() => askOnce(place, subject, question, o), { retries, retryDelay, signal })
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
