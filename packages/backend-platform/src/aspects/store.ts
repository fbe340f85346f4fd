import {
  type AspectDraft,
  type AspectQuery,
  type AspectRecord,
  type AspectStore,
  IvcapError,
  isIvcapError,
  type OpOptions,
  omitUndefined,
  type Page,
  retry,
  sleep,
  type Urn,
} from '@ivcap/core/driver'
import { aspectFromJson, aspectUuid } from '@ivcap/core/internal'
import { AssertedJson } from '../decode.js'
import type { Http, HttpRequest } from '../http/client.js'
import { pathSegment } from '../http/deployment.js'
import { assertSameId, isOutcomeUnknown, isStale } from '../http/failure.js'
import { fetchItems, pageQuery, pageWith } from '../http/paging.js'
import { findStored } from './find-stored.js'

/** Aspects of a deployment. The client has checked and completed all arguments. */
export function aspectStore(http: Http): AspectStore {
  return {
    assert: (draft, mode, o) => assertAspect(http, draft, mode, o),
    get: (id, o) => get(http, id, o),
    list: (q, o) => list(http, q, o),
    retract: (id, o) => retract(http, id, o),
  }
}

/** Milliseconds. A request whose connection broke may still be in progress on the server. */
const SECOND_LOOKUP_DELAY = 200

/**
 * If the response is lost, looks for the aspect, and sends it again only if it is not stored. After a timeout it is never sent
 * again, because the deployment may still be processing it.
 */
async function assertAspect(
  http: Http,
  draft: AspectDraft,
  mode: 'add' | 'replace',
  o: OpOptions,
): Promise<AspectRecord> {
  const { entity, schema, content, policy } = draft
  const startedAt = Date.now()
  const request: HttpRequest = {
    ...o,
    method: mode === 'add' ? 'POST' : 'PUT',
    url: http.deployment.api('/1/aspects', { entity, schema, policy }),
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...content, $schema: schema, $entity: entity }),
    resource: entity,
    whenStale: 'fail',
  }
  // the last failure after which the aspect may be stored
  let uncertain: IvcapError | undefined
  let fresh = false
  const find = () => findStored(draft, (q) => list(http, q, o), startedAt)
  const resolveOutcome = async (cause: IvcapError) => {
    const stored = await (async () => {
      const found = await find()
      if (found.id !== undefined || found.equal !== undefined) return found
      await sleep(SECOND_LOOKUP_DELAY, o.signal)
      return await find()
    })().catch(() => {
      o.signal?.throwIfAborted()
      throw unknownOutcome(cause, draft, 'it could not be looked for')
    })
    if (stored.id !== undefined) return stored.id
    // sending it again could store it twice
    if (stored.equal !== undefined)
      throw unknownOutcome(cause, draft, `${stored.equal} is equal to it, but by its time it may be older`)
    if (cause.code === 'timeout') throw unknownOutcome(cause, draft, 'it is not to be seen yet')
    return undefined
  }
  const send = async (): Promise<Urn> => {
    try {
      return (await http.requestOnce({ ...request, fresh }, AssertedJson)).id
    } catch (error) {
      if (isIvcapError(error) && isOutcomeUnknown(error)) uncertain = error
      throw error
    }
  }
  const id = await retry(async () => {
    const stored = uncertain && (await resolveOutcome(uncertain))
    if (stored !== undefined) return stored
    try {
      return await send()
    } catch (error) {
      if (!isIvcapError(error)) throw error
      if (isStale(error)) {
        fresh = true
        return (await resolveOutcome(error)) ?? (await send())
      }
      if (uncertain !== error || (error.retryable && error.code !== 'timeout')) throw error
      const stored = await resolveOutcome(error)
      if (stored !== undefined) return stored
      throw unknownOutcome(error, draft, 'it is not to be seen yet')
    }
  }, http.retrying(o)).catch(async (error: unknown) => {
    o.signal?.throwIfAborted()
    if (uncertain === undefined || !isIvcapError(error) || error.attempts === undefined) throw error
    const stored = await resolveOutcome(uncertain)
    if (stored !== undefined) return stored
    throw unknownOutcome(error, draft, 'it is not to be seen yet')
  })
  return { id, entity, schema, content, ...(policy !== undefined && { policy }) }
}

async function get(http: Http, id: Urn, o: OpOptions): Promise<AspectRecord> {
  const request = { ...o, method: 'GET', url: urlOf(http, id), resource: id } as const
  o.signal?.throwIfAborted()
  return assertSameId(request, id, await http.request(request, aspectFromJson))
}

async function list(http: Http, q: AspectQuery, o: OpOptions): Promise<Page<AspectRecord>> {
  const query = {
    entity: q.entity,
    schema: q.schema,
    'content-path': q.contentPath,
    filter: q.filter,
    'at-time': q.atTime,
    'order-by': q.orderBy,
    'order-direction': q.orderDirection,
    'include-content': q.includeContent,
  }
  const url = http.deployment.api('/1/aspects', pageQuery(query, q.limit, q.cursor))
  const request = { ...o, method: 'GET', url } as const
  const { items, links } = await fetchItems(http, request, aspectFromJson)
  return pageWith(items, links, query, q.cursor, request)
}

/** Ends an aspect. Retries after a fault. Succeeds if the record is closed by then, e.g. by a request whose response was lost. */
async function retract(http: Http, id: Urn, o: OpOptions): Promise<void> {
  const url = urlOf(http, id)
  let uncertain = false
  const send = async (fresh: boolean) => {
    const response = await http.send({ ...o, method: 'DELETE', url, resource: id, whenStale: 'fail', fresh })
    await response.cancel()
  }
  const isClosed = async () => {
    // an error of this look-up must not replace the original error
    const record = await get(http, id, o).catch(() => undefined)
    o.signal?.throwIfAborted()
    return record?.validTo !== undefined
  }
  await retry(async () => {
    try {
      await send(false).catch((error: unknown) => {
        if (!isStale(error) || o.signal?.aborted) throw error
        uncertain = true
        return send(true)
      })
    } catch (error) {
      if (!isIvcapError(error)) throw error
      if (uncertain && !error.retryable && (await isClosed())) return
      uncertain ||= isOutcomeUnknown(error)
      throw error
    }
  }, http.retrying(o))
}

function urlOf(http: Http, id: Urn): URL {
  if (aspectUuid(id) !== undefined) return http.deployment.api(`/1/aspects/${pathSegment(id)}`)
  throw new IvcapError('not-found', `${id} is not an aspect of ${http.deployment.href}`, { resource: id })
}

function unknownOutcome(cause: IvcapError, { entity, schema }: AspectDraft, why: string): IvcapError {
  const message =
    `whether the aspect ${schema} of ${entity} was stored is not known: no answer came, and ${why}; ` +
    `look for it before you repeat the call (${cause.message})`
  const { attempts, elapsed, status } = cause
  return new IvcapError(
    'unavailable',
    message,
    omitUndefined({ retryable: false, resource: entity, status, attempts, elapsed, cause }),
  )
}
