import type { ArtifactQuery, ArtifactRecord, ArtifactStore, OpOptions, Page } from '@ivcap/core/driver'
import { artifactFromJson } from '@ivcap/core/internal'
import type { Http } from '../http/client.js'
import { fetchItems, pageQuery, pageWith } from '../http/paging.js'
import { type UploadContext, upload } from '../uploads/upload.js'
import type { Digests } from './digests.js'
import { read } from './read.js'
import { RecentRecords } from './recent-records.js'
import { fetchOwnArtifact } from './records.js'

/** Artifacts of a deployment. The client has checked and completed all arguments. */
export function artifactStore(context: UploadContext, digests: Digests | undefined): ArtifactStore {
  const { http } = context
  const recent = new RecentRecords()
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
      const answer = await fetchOwnArtifact(http, id, o)
      recent.add(answer)
      return { ...answer.record, ...(await digests?.find(id, o)) }
    },
    read: (id, o) => read(http, { digests, recent }, id, o),
    list: (q, o) => list(http, q, o),
  }
}

async function list(http: Http, q: ArtifactQuery, o: OpOptions): Promise<Page<ArtifactRecord>> {
  const query = {
    filter: q.filter,
    'order-by': q.orderBy,
    'order-desc': q.orderDesc,
    'at-time': q.atTime,
  }
  const url = http.deployment.api('/1/artifacts', pageQuery(query, q.limit, q.cursor))
  const request = { ...o, method: 'GET', url } as const
  const { items, links } = await fetchItems(http, request, artifactFromJson)
  return pageWith(
    items.map((item) => item.record),
    links,
    query,
    q.cursor,
    request,
  )
}
