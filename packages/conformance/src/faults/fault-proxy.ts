/** Servers behind a bad line. Node only. */

export { type DownloadOptions, describeDownloads, type ProxiedBlobs } from './describe-downloads.js'
export type { Fault, Plan, Seen } from './proxy/fault.js'
export { type FaultProxy, faultProxy } from './proxy/proxy.js'
export { type RandomPlanOptions, randomPlan } from './proxy/random-plan.js'
