import type { JobRecord, OpOptions, Page, ServiceQuery, ServiceStore, Urn } from '@ivcap/core/driver'
import type * as v from 'valibot'
import { createJob } from './create-job.js'
import { listOf } from './decode.js'
import { isJson, jobJson, parseJson, ServiceJson } from './decode-services.js'
import { protocolFailure } from './failure.js'
import type { Http } from './http.js'
import { pageQuery, pageWith } from './paging.js'
import { segment } from './urls.js'

/** Services of a deployment. As every driver it gets complete and valid input from the client. */
export function serviceStore(http: Http): ServiceStore {
  return {
    get: (id, { signal }) =>
      http.ask({ method: 'GET', url: urlOf(http, id), resource: id, signal }, ServiceJson),
    list: (q, o) => list(http, '/1/services2', ServiceJson, q, o),
    async createJob(service, params, o) {
      const { job, complete } = await createJob(http, service, params, o)
      return complete ? job : getJob(http, service, job.id, o)
    },
    getJob: (service, job, o) => getJob(http, service, job, o),
    listJobs: (service, q, o) => list(http, `/1/services2/${segment(service)}/jobs`, jobJson(service), q, o),
  }
}

async function list<S extends v.GenericSchema>(
  http: Http,
  path: string,
  item: S,
  q: ServiceQuery,
  { signal }: OpOptions,
): Promise<Page<v.InferOutput<S>>> {
  const query = {
    filter: q.filter,
    'order-by': q.orderBy,
    'order-desc': q.orderDesc,
    'at-time': q.atTime,
  }
  const url = http.deployment.api(path, pageQuery(query, q.limit, q.cursor))
  const request = { method: 'GET', url, signal } as const
  const { items, links } = await http.ask(request, listOf(item))
  return pageWith(items, links, query, q.cursor, request)
}

/** A result that the record leaves out is asked for by itself. */
async function getJob(http: Http, service: Urn, id: Urn, { signal }: OpOptions): Promise<JobRecord> {
  const path = `/1/services2/${segment(service)}/jobs/${segment(id)}`
  const query = { 'with-request-content': true, 'with-result-content': true }
  const request = { method: 'GET', url: http.deployment.api(path, query), resource: id, signal } as const
  const job = await http.ask(request, jobJson(service))
  if (job.status !== 'succeeded' || job.result !== undefined || !isJson(job.resultType)) return job
  const output = { method: 'GET', url: http.deployment.api(`${path}/output`), resource: id, signal } as const
  const reply = await http.send(output)
  const resultType = reply.headers.get('content-type') ?? job.resultType
  if (reply.status === 204 || !isJson(resultType)) {
    await reply.cancel()
    return { ...job, ...(reply.status !== 204 && resultType !== undefined && { resultType }) }
  }
  const result = parseJson(await reply.text())
  if (result === undefined) throw protocolFailure(output, 'broken JSON as the result')
  return { ...job, result, ...(resultType !== undefined && { resultType }) }
}

const urlOf = (http: Http, id: Urn): URL => http.deployment.api(`/1/services2/${segment(id)}`)
