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
import { createJob } from './create-job.js'
import { expectId, protocolFailure } from './failure.js'
import type { Http } from './http.js'
import { readJson } from './json-body.js'
import { fetchItems, pageQuery, pageWith } from './paging.js'
import { segment } from './urls.js'

/** Jobs of a service among which one is looked for that a lost answer may have been about. */
const NEWEST_JOBS = { limit: 50, orderBy: 'requested-at', orderDesc: true } as const
/** Milliseconds that the deployment's clock may be behind ours. */
const SKEW = 60_000
/** Ids of jobs that are kept in mind: none of them is the lost one. */
const REMEMBERED_JOBS = 1000

/** Services of a deployment. As every driver it gets complete and valid input from the client. */
export function serviceStore(http: Http): ServiceStore {
  const made = new Set<Urn>()
  return {
    async get(id, o) {
      const request = { ...o, method: 'GET', url: urlOf(http, id), resource: id } as const
      return expectId(request, id, await http.ask(request, serviceFromJson))
    },
    list: (q, o) => list(http, '/1/services2', serviceFromJson, q, o),
    async createJob(service, params, o) {
      const isNewJob = async (since: number) => {
        const { items } = await list(
          http,
          `/1/services2/${segment(service)}/jobs`,
          jobFromJson(service),
          NEWEST_JOBS,
          o,
        )
        // a record without a time may be a new one
        return items.some(
          ({ id, requestedAt }) =>
            !made.has(id) && micros(requestedAt ?? timestamp(since * 1000)) >= (since - SKEW) * 1000,
        )
      }
      const { job, complete } = await createJob(http, service, params, o, isNewJob)
      made.add(job.id)
      for (const oldest of made) if (made.size > REMEMBERED_JOBS) made.delete(oldest)
      return complete ? job : getJob(http, service, job.id, o)
    },
    getJob: (service, job, o) => getJob(http, service, job, o),
    listJobs: (service, q, o) =>
      list(http, `/1/services2/${segment(service)}/jobs`, jobFromJson(service), q, o),
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

/** A result that the record leaves out is asked for by itself. */
async function getJob(http: Http, service: Urn, id: Urn, o: OpOptions): Promise<JobRecord> {
  const path = `/1/services2/${segment(service)}/jobs/${segment(id)}`
  const query = { 'with-request-content': true, 'with-result-content': true }
  const request = { ...o, method: 'GET', url: http.deployment.api(path, query), resource: id } as const
  const job = expectId(request, id, await http.ask(request, jobFromJson(service)))
  if (job.status !== 'succeeded' || job.result !== undefined || !mayBeJson(job.resultType)) return job
  const output = { ...o, method: 'GET', url: http.deployment.api(`${path}/output`), resource: id } as const
  return retry(async () => {
    const reply = await http.send(output)
    const resultType = reply.headers.get('content-type') ?? job.resultType
    if (reply.status === 204) {
      await reply.cancel()
      return job
    }
    const told = { ...job, ...(resultType !== undefined && { resultType }) }
    const result = await readJson(reply, resultType)
    if (result !== undefined) return { ...told, result }
    if (isJson(resultType)) throw protocolFailure(output, 'broken JSON as the result', '', true)
    return told
  }, http.retrying(o))
}

const urlOf = (http: Http, id: Urn): URL => http.deployment.api(`/1/services2/${segment(id)}`)
