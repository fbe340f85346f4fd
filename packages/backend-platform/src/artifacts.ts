import {
  type ArtifactContent,
  type ArtifactQuery,
  type ArtifactRecord,
  type ArtifactStore,
  artifactUuid,
  type ByteRange,
  checkRange,
  IvcapError,
  type OpOptions,
  type Page,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { bodyOf } from './content.js'
import { ArtifactJson, listOf, plainEtag } from './decode.js'
import type { Digests } from './digests.js'
import type { Http } from './http.js'
import { pageQuery, pageWith } from './paging.js'
import { fetchArtifact } from './records.js'
import { type UploadContext, upload } from './upload.js'

/** Artifacts of a deployment. As every driver it gets complete and valid input from the client. */
export function artifactStore(context: UploadContext, digests: Digests | undefined): ArtifactStore {
  const { http } = context
  return {
    name: 'platform',
    location: http.deployment.href,
    remembersUploads: true,
    async create(source, draft, o) {
      if (digests === undefined) return upload(context, source, draft, o)
      const hashed = digests.of(source)
      const record = await upload(context, hashed.source, draft, o)
      return { ...record, ...(await hashed.record(record.id, o)) }
    },
    async stat(id, o) {
      const { record } = await known(http, id, o)
      return { ...record, ...(await digests?.find(id, o)) }
    },
    read: (id, o) => read(http, digests, id, o),
    list: (q, o) => list(http, q, o),
  }
}

/** Only the deployment's own ids are asked for: any other is not there. */
async function known(http: Http, id: Urn, { signal }: OpOptions, retries?: number) {
  signal?.throwIfAborted()
  if (artifactUuid(id) !== undefined)
    return fetchArtifact(http, id, { signal, ...(retries === 0 && { retries }) })
  const message = `${id} is not an artifact of ${http.deployment.href}: those are urn:ivcap:artifact:…`
  throw new IvcapError('not-found', message, { resource: id })
}

async function read(
  http: Http,
  digests: Digests | undefined,
  id: Urn,
  o: OpOptions & { readonly range?: ByteRange; readonly ifMatch?: string },
): Promise<ArtifactContent> {
  const { signal, ifMatch } = o
  if (o.range !== undefined) checkRange(o.range)
  const { record, dataHref } = await known(http, id, o)
  if (ifMatch !== undefined && record.etag !== undefined && ifMatch !== record.etag)
    throw changed(id, ifMatch)
  const size = sizeOf(record)
  const range = resolveRange(o.range, size)
  const partial = range.start > 0 || range.end < size
  const digest = partial ? undefined : await digests?.find(id, o)
  if (dataHref === undefined) throw withoutContent(id)
  const reply = await http.send({
    method: 'GET',
    url: http.deployment.data(dataHref),
    resource: id,
    signal,
    // compressed on its way it would have another length than the record says
    headers: {
      'Accept-Encoding': 'identity',
      ...(partial && { Range: `bytes=${range.start}-${range.end - 1}` }),
    },
    ...(record.etag !== undefined && { ownHeaders: { 'If-Match': `"${record.etag}"` } }),
  })
  const etag = plainEtag(reply.headers.get('etag'))
  // elsewhere, e.g. in the deployment's storage, the same bytes go by another etag
  const own = http.deployment.owns(reply.url)
  if (own && etag !== undefined && record.etag !== undefined && etag !== record.etag) {
    await reply.cancel()
    throw changed(id, record.etag)
  }
  const body = await bodyOf(id, reply, range, size, signal)
  return { record: { ...record, ...digest }, range, body }
}

async function list(http: Http, q: ArtifactQuery, { signal }: OpOptions): Promise<Page<ArtifactRecord>> {
  const query = {
    filter: q.filter,
    'order-by': q.orderBy,
    'order-desc': q.orderDesc,
    'at-time': q.atTime,
  }
  const url = http.deployment.api('/1/artifacts', pageQuery(query, q.limit, q.cursor))
  const request = { method: 'GET', url, signal } as const
  const { items, links } = await http.ask(request, listOf(ArtifactJson))
  return pageWith(
    items.map((item) => item.record),
    links,
    query,
    q.cursor,
    request,
  )
}

/** Bytes of an artifact that can be read. */
function sizeOf({ id, status, size }: ArtifactRecord): number {
  if (status === 'pending' || status === 'partial') {
    const message = `${id} has no content yet, its upload is not finished (status ${status}): read it later`
    throw new IvcapError('unavailable', message, { resource: id })
  }
  if (status === 'error') {
    const message = `${id} has no content, its upload failed (status error): upload it again`
    throw new IvcapError('unavailable', message, { resource: id, retryable: false })
  }
  if (size !== undefined) return size
  throw new IvcapError('protocol', `the deployment does not tell the size of ${id}`, { resource: id })
}

function changed(id: Urn, etag: string): IvcapError {
  const message = `the content of ${id} is no longer that with the etag ${etag}: start again`
  return new IvcapError('precondition-failed', message, { resource: id })
}

function withoutContent(id: Urn): IvcapError {
  return new IvcapError('protocol', `the deployment does not tell where the content of ${id} is`, {
    resource: id,
  })
}
