import type { JobRecord, ServiceStore } from '@ivcap/core/driver'
import { readJsonObject } from '../http/body.js'
import { badRequest } from '../http/errors.js'
import { type Exchange, type Handler, header, sendEmpty, sendJson } from '../http/exchange.js'
import { flag } from '../http/parameters.js'
import { jobIdOf, serviceIdOf } from '../ids.js'
import { jobHref, jobItem, jobJson, serviceHref, serviceItem, serviceJson } from './json.js'
import { sendListing } from './listing.js'

/** Bytes of JSON. */
const MAX_REQUEST = 10_000_000
/** Maximum seconds that a response waits for a job. Must be below the idle timeout of connections. */
const MAX_WAIT = 240
/** Seconds after which clients should poll the job. */
const RETRY_LATER = 1

export interface ServiceRoutes {
  readonly list: Handler
  readonly get: Handler
  readonly createJob: Handler
  readonly listJobs: Handler
  readonly getJob: Handler
  readonly output: Handler
}

export function serviceRoutes(services: ServiceStore): ServiceRoutes {
  return {
    list: (exchange) =>
      sendListing(exchange, { path: '/1/services2', orderDesc: false, item: serviceItem }, (q) =>
        services.list(q, { signal: exchange.signal }),
      ),

    async get({ res, params, origin, signal }) {
      const record = await services.get(serviceIdOf(params['id']), { signal })
      sendJson(res, 200, serviceJson(record, origin))
    },

    createJob: (exchange) => createJob(services, exchange),

    async listJobs(exchange) {
      const { params, signal } = exchange
      const service = serviceIdOf(params['id'])
      const path = `${serviceHref(service, '')}/jobs`
      await sendListing(exchange, { path, orderDesc: true, item: jobItem }, (q) =>
        services.listJobs(service, q, { signal }),
      )
    },

    async getJob(exchange) {
      const { res, query, origin } = exchange
      const job = await jobOf(services, exchange)
      const contents = {
        request: flag(query, 'with-request-content', false),
        result: flag(query, 'with-result-content', true),
      }
      sendJson(res, 200, jobJson(job, origin, contents))
    },

    async output(exchange) {
      const { res } = exchange
      const { status, result, errorMessage } = await jobOf(services, exchange)
      if (status === 'failed' || status === 'error') {
        return sendJson(res, 500, { message: errorMessage ?? 'the job failed' })
      }
      if (result === undefined) return sendEmpty(res, 204)
      sendJson(res, 200, result)
    },
  }
}

const jobOf = (services: ServiceStore, { params, signal }: Exchange): Promise<JobRecord> =>
  services.getJob(serviceIdOf(params['id']), jobIdOf(params['job']), { signal })

/** Answers with the result, or with the job's URL if `Timeout` ends first. The job continues if the client disconnects. */
async function createJob(
  services: ServiceStore,
  { req, res, params, origin, signal }: Exchange,
): Promise<void> {
  const service = serviceIdOf(params['id'])
  const timeout = timeoutOf(header(req, 'timeout'))
  const request = await readJsonObject(req, MAX_REQUEST)
  const job = await services.createJob(service, request, { signal, timeout })
  const href = jobHref(job, origin)
  const headers = { 'IVCAP-Job-Id': job.id, 'IVCAP-Job-URL': href }
  if (job.result !== undefined) return sendJson(res, 200, job.result, headers)
  const later = { 'job-id': job.id, location: href, 'retry-later': RETRY_LATER }
  sendJson(res, 202, later, { ...headers, Location: href })
}

/** Converts the header `Timeout` from seconds to ms. */
function timeoutOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const seconds = Number(text)
  if (Number.isFinite(seconds) && seconds >= 0) return Math.min(seconds, MAX_WAIT) * 1000
  throw badRequest('Timeout', 'Timeout must be a number of seconds, at least 0')
}
