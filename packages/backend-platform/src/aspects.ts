import {
  type AspectDraft,
  type AspectQuery,
  type AspectRecord,
  type AspectStore,
  aspectUuid,
  IvcapError,
  isIvcapError,
  type OpOptions,
  omitUndefined,
  type Page,
  retry,
  sleep,
  type Urn,
} from '@ivcap/core/driver'
import { AspectJson, AssertedJson } from './decode.js'
import { expectId, isStale, mayHaveHappened } from './failure.js'
import type { Http, HttpRequest } from './http.js'
import { findLost } from './lost-aspect.js'
import { fetchItems, pageQuery, pageWith } from './paging.js'
import { segment } from './urls.js'

/** Aspects of a deployment. As every driver it gets complete and valid input from the client. */
export function aspectStore(http: Http): AspectStore {
  return {
    assert: (draft, mode, o) => assertAspect(http, draft, mode, o),
    get: (id, o) => get(http, id, o),
    list: (q, o) => list(http, q, o),
    retract: (id, o) => retract(http, id, o),
  }
}

/** Milliseconds between two searches. The deployment may still receive, or carry out, a request whose connection broke. */
const SETTLING_MS = 200

/**
 * If the answer is lost, searches for the aspect twice, and sends it again only if neither search finds it or an equal one. After a
 * timeout it is not sent again: the deployment may still be processing the request.
 */
async function assertAspect(
  http: Http,
  draft: AspectDraft,
  mode: 'add' | 'replace',
  o: OpOptions,
): Promise<AspectRecord> {
  const { entity, schema, content, policy } = draft
  const begun = Date.now()
  const request: HttpRequest = {
    ...o,
    method: mode === 'add' ? 'POST' : 'PUT',
    url: http.deployment.api('/1/aspects', { entity, schema, policy }),
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...content, $schema: schema, $entity: entity }),
    resource: entity,
    whenStale: 'fail',
  }
  // a failure after which the aspect may be there
  let doubt: IvcapError | undefined
  let fresh = false
  const findTwice = async () => {
    const find = () => findLost(draft, (q) => list(http, q, o), begun)
    const found = await find()
    if (found.id !== undefined || found.equal !== undefined) return found
    await sleep(SETTLING_MS, o.signal)
    return await find()
  }
  const settle = async (cause: IvcapError) => {
    const lost = await findTwice().catch(() => {
      o.signal?.throwIfAborted()
      throw unknownOutcome(cause, draft, 'it could not be looked for')
    })
    if (lost.id !== undefined) return lost.id
    // sending it again could store it twice
    if (lost.equal !== undefined)
      throw unknownOutcome(cause, draft, `${lost.equal} is equal to it, but by its time it may be older`)
    if (cause.code === 'timeout') throw unknownOutcome(cause, draft, 'it is not to be seen yet')
    return undefined
  }
  const send = async (): Promise<Urn> => {
    try {
      return (await http.json({ ...request, fresh }, AssertedJson)).id
    } catch (error) {
      if (isIvcapError(error) && mayHaveHappened(error)) doubt = error
      throw error
    }
  }
  const id = await retry(async () => {
    const lost = doubt && (await settle(doubt))
    if (lost !== undefined) return lost
    try {
      return await send()
    } catch (error) {
      if (!isIvcapError(error)) throw error
      if (isStale(error)) {
        fresh = true
        return (await settle(error)) ?? (await send())
      }
      if (doubt !== error || (error.retryable && error.code !== 'timeout')) throw error
      const lost = await settle(error)
      if (lost !== undefined) return lost
      throw unknownOutcome(error, draft, 'it is not to be seen yet')
    }
  }, http.retrying(o)).catch(async (error: unknown) => {
    o.signal?.throwIfAborted()
    if (doubt === undefined || !isIvcapError(error) || error.attempts === undefined) throw error
    const lost = await settle(doubt)
    if (lost !== undefined) return lost
    throw unknownOutcome(error, draft, 'it is not to be seen yet')
  })
  return { id, entity, schema, content, ...(policy !== undefined && { policy }) }
}

async function get(http: Http, id: Urn, o: OpOptions): Promise<AspectRecord> {
  const request = { ...o, method: 'GET', url: urlOf(http, id), resource: id } as const
  o.signal?.throwIfAborted()
  return expectId(request, id, await http.ask(request, AspectJson))
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
  const { items, links } = await fetchItems(http, request, AspectJson)
  return pageWith(items, links, query, q.cursor, request)
}

/** Repeated after a fault; success if the record is closed by then, as it is after a lost answer. */
async function retract(http: Http, id: Urn, o: OpOptions): Promise<void> {
  const url = urlOf(http, id)
  let doubt = false
  const send = async (fresh: boolean) => {
    const reply = await http.send({ ...o, method: 'DELETE', url, resource: id, whenStale: 'fail', fresh })
    await reply.cancel()
  }
  const isClosed = async () => {
    // a question asked after a failure never replaces that failure
    const record = await get(http, id, o).catch(() => undefined)
    o.signal?.throwIfAborted()
    return record?.validTo !== undefined
  }
  await retry(async () => {
    try {
      await send(false).catch((error: unknown) => {
        if (!isStale(error) || o.signal?.aborted) throw error
        doubt = true
        return send(true)
      })
    } catch (error) {
      if (!isIvcapError(error)) throw error
      if (doubt && !error.retryable && (await isClosed())) return
      doubt ||= mayHaveHappened(error)
      throw error
    }
  }, http.retrying(o))
}

function urlOf(http: Http, id: Urn): URL {
  if (aspectUuid(id) !== undefined) return http.deployment.api(`/1/aspects/${segment(id)}`)
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
