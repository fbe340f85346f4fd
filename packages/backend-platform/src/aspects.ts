import {
  type AspectDraft,
  type AspectQuery,
  type AspectRecord,
  type AspectStore,
  aspectUuid,
  IvcapError,
  isIvcapError,
  type OpOptions,
  type Page,
  retry,
  type Urn,
} from '@ivcap/core/driver'
import { AspectJson, AssertedJson, listOf } from './decode.js'
import { mayHaveHappened } from './failure.js'
import type { Http, HttpRequest } from './http.js'
import { findLost } from './lost-aspect.js'
import { pageQuery, pageWith } from './paging.js'
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

/** A record that may have been made although no answer came is looked for, never made again blindly. */
async function assertAspect(
  http: Http,
  draft: AspectDraft,
  mode: 'add' | 'replace',
  { signal }: OpOptions,
): Promise<AspectRecord> {
  const { entity, schema, content, policy } = draft
  const begun = Date.now()
  const request: HttpRequest = {
    method: mode === 'add' ? 'POST' : 'PUT',
    url: http.deployment.api('/1/aspects', { entity, schema, policy }),
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...content, $schema: schema, $entity: entity }),
    resource: entity,
    signal,
  }
  const id = await retry(
    async () => {
      try {
        return (await http.json(request, AssertedJson)).id
      } catch (error) {
        if (!isIvcapError(error) || !mayHaveHappened(error)) throw error
        const op = signal ? { signal } : {}
        // that it can't be looked for, either, is no reason to ask again
        const lost = await findLost(draft, (q) => list(http, q, op), begun).catch(() => undefined)
        signal?.throwIfAborted()
        if (lost !== undefined) return lost
        throw unknownOutcome(error, draft)
      }
    },
    { ...http.retries, signal },
  )
  return { id, entity, schema, content, ...(policy !== undefined && { policy }) }
}

async function get(http: Http, id: Urn, { signal }: OpOptions): Promise<AspectRecord> {
  const url = urlOf(http, id)
  signal?.throwIfAborted()
  return http.ask({ method: 'GET', url, resource: id, signal }, AspectJson)
}

async function list(http: Http, q: AspectQuery, { signal }: OpOptions): Promise<Page<AspectRecord>> {
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
  const request = { method: 'GET', url, signal } as const
  const { items, links } = await http.ask(request, listOf(AspectJson))
  return pageWith(items, links, query, q.cursor, request)
}

/** Asked again after a fault; that it is closed already, by the try before, is as good. */
async function retract(http: Http, id: Urn, { signal }: OpOptions): Promise<void> {
  const url = urlOf(http, id)
  await retry(
    async (attempt) => {
      try {
        const reply = await http.send({ method: 'DELETE', url, resource: id, signal })
        await reply.cancel()
      } catch (error) {
        if (attempt === 0 || !isIvcapError(error) || error.retryable) throw error
        const record = await get(http, id, signal ? { signal } : {})
        if (record.validTo === undefined) throw error
      }
    },
    { ...http.retries, signal },
  )
}

function urlOf(http: Http, id: Urn): URL {
  if (aspectUuid(id) !== undefined) return http.deployment.api(`/1/aspects/${segment(id)}`)
  throw new IvcapError('not-found', `${id} is not an aspect of ${http.deployment.href}`, { resource: id })
}

function unknownOutcome(cause: IvcapError, { entity, schema }: AspectDraft): IvcapError {
  const message =
    `whether the aspect ${schema} of ${entity} was stored is not known: no answer came, and it is not to be seen (yet); ` +
    `look again before you repeat it (${cause.message})`
  return new IvcapError('unavailable', message, { retryable: false, resource: entity, cause })
}
