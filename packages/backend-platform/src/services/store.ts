import {
  type JobRecord,
  type OpOptions,
  type Page,
  retry,
  type ServiceQuery,
  type ServiceStore,
  timestamp,
  type Urn,
} from '@ivcap/core/driver'
import { isJson, jobFromJson, mayBeJson, micros, serviceFromJson } from '@ivcap/core/internal'
import type * as v from 'valibot'
import type { Http } from '../http/client.js'
import { pathSegment } from '../http/deployment.js'
import { assertSameId, protocolFailure } from '../http/failure.js'
import { fetchItems, pageQuery, pageWith } from '../http/paging.js'
import { createJob } from './create-job.js'
import { readJson } from './json-body.js'

/** The listed jobs that are searched for a job whose response was lost. */
const NEWEST_JOBS = { limit: 50, orderBy: 'requested-at', orderDesc: true } as const
/** Milliseconds that the deployment's clock may be behind ours. */
const CLOCK_SKEW = 60_000
/** Number of ids of created jobs that are remembered. None of them is the lost job. */
const REMEMBERED_JOBS = 1000

/** Services of a deployment. The client has checked and completed all arguments. */
export function serviceStore(http: Http): ServiceStore {
  const created = new Set<Urn>()
  return {
    async get(id, o) {
      const request = { ...o, method: 'GET', url: urlOf(http, id), resource: id } as const
      return assertSameId(request, id, await http.request(request, serviceFromJson))
    },
    list: (q, o) => list(http, '/1/services2', serviceFromJson, q, o),
    async createJob(service, params, o) {
      const isNewJob = async (since: number) => {
        const { items } = await list(
          http,
          `/1/services2/${pathSegment(service)}/jobs`,
          jobFromJson(service),
          NEWEST_JOBS,
          o,
        )
        // a record without a time may be a new one
        return items.some(
          ({ id, requestedAt }) =>
            !created.has(id) && micros(requestedAt ?? timestamp(since * 1000)) >= (since - CLOCK_SKEW) * 1000,
        )
      }
      const { job, complete } = await createJob(http, service, params, o, isNewJob)
      created.add(job.id)
      for (const oldest of created) if (created.size > REMEMBERED_JOBS) created.delete(oldest)
      return complete ? job : getJob(http, service, job.id, o)
    },
    getJob: (service, job, o) => getJob(http, service, job, o),
    listJobs: (service, q, o) =>
      list(http, `/1/services2/${pathSegment(service)}/jobs`, jobFromJson(service), q, o),
  }
}

async function list<S extends v.GenericSchema>(
  http: Http,
  path: string,
  item: S,
  q: ServiceQuery,
  o: OpOptions,
): Promise<Page<v.InferOutput<S>>> {
  const query = {
    filter: q.filter,
    'order-by': q.orderBy,
    'order-desc': q.orderDesc,
    'at-time': q.atTime,
  }
  const url = http.deployment.api(path, pageQuery(query, q.limit, q.cursor))
  const request = { ...o, method: 'GET', url } as const
  const { items, links } = await fetchItems(http, request, item)
  return pageWith(items, links, query, q.cursor, request)
}

/** Requests the result separately if the record omits it. */
async function getJob(http: Http, service: Urn, id: Urn, o: OpOptions): Promise<JobRecord> {
  const path = `/1/services2/${pathSegment(service)}/jobs/${pathSegment(id)}`
  const query = { 'with-request-content': true, 'with-result-content': true }
  const request = { ...o, method: 'GET', url: http.deployment.api(path, query), resource: id } as const
  const job = assertSameId(request, id, await http.request(request, jobFromJson(service)))
  if (job.status !== 'succeeded' || job.result !== undefined || !mayBeJson(job.resultType)) return job
  const output = { ...o, method: 'GET', url: http.deployment.api(`${path}/output`), resource: id } as const
  return retry(async () => {
    const response = await http.send(output)
    const resultType = response.headers.get('content-type') ?? job.resultType
    if (response.status === 204) {
      await response.cancel()
      return job
    }
    const typed = { ...job, ...(resultType !== undefined && { resultType }) }
    const result = await readJson(response, resultType)
    if (result !== undefined) return { ...typed, result }
    if (isJson(resultType)) throw protocolFailure(output, 'broken JSON as the result', '', true)
    return typed
  }, http.retrying(o))
}

const urlOf = (http: Http, id: Urn): URL => http.deployment.api(`/1/services2/${pathSegment(id)}`)
