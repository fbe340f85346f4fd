/** Tests with servers behind a faulty connection. Node only. */

export {
  bucketHarness,
  bytesOf,
  expectContent,
  ivcapErrorOf,
  keysOf,
  oneShot,
  quickTransfer,
  serverEnvironment,
  someBytes,
  until,
} from './bucket-support.js'
export { type DownloadOptions, describeDownloads, type ProxiedBlobs } from './describe-downloads.js'
export { describeUploads, type ProxiedUploads, type UploadOptions } from './describe-uploads.js'
export type { Fault, Plan, Seen } from './proxy/fault.js'
export { type FaultProxy, faultProxy } from './proxy/proxy.js'
export { type RandomPlanOptions, randomPlan } from './proxy/random-plan.js'
