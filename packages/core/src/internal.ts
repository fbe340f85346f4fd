/** What the packages of this workspace share beyond the ports. No promises to others: names here come and go. */

export {
  allocate,
  copyFile,
  defaultStateDir,
  expectListeners,
  fileSource,
  isProcessGone,
  type NodeBody,
  processIdentity,
  type RawBody,
  type RawRequest,
  type RawResponse,
  rawBody,
  rawGet,
  withOpenFiles,
} from '#runtime'
export { Artifact } from './client/artifacts/artifact.js'
export { concurrently } from './client/concurrently.js'
export type { Context } from './client/context.js'
export * from './model/errors.js'
export * from './model/events.js'
export * from './model/failures.js'
export * from './model/json.js'
export * from './model/omit-undefined.js'
export { checkOptions, isPlain, type OptionNames } from './model/options.js'
export * from './model/plain-text.js'
export * from './model/problems.js'
export * from './model/records.js'
export * from './model/services.js'
export * from './model/time.js'
export * from './model/timers.js'
export * from './model/urn.js'
export * from './ports/index.js'
export { type ContentTest, compileContentPath } from './query/content-path.js'
export * from './query/cursor.js'
export { artifactFilter, aspectFilter, type RecordTest, serviceFilter } from './query/filter/index.js'
export * from './query/order.js'
export * from './query/page.js'
export { PageProgress } from './query/page-progress.js'
export { nextTurn, selectAsync, shareTurns, WorkBudget, type WorkBudgetOptions } from './query/work.js'
export {
  type ConnectionFault,
  connectionFault,
  retryAfterOf,
  systemCode,
} from './retry/connection-fault.js'
export { abortable, delayedAbort } from './retry/delayed-abort.js'
export {
  afterFailure,
  backoff,
  DEFAULT_RETRIES,
  exhausted,
  LONGEST_RETRY_AFTER,
  opOptions,
  type RetryOptions,
  retry,
  sleep,
} from './retry/retry.js'
export * from './rules/artifact-order.js'
export * from './rules/aspect-json.js'
export * from './rules/aspect-order.js'
export { type AspectTest, aspectSelector } from './rules/aspect-selection.js'
export * from './rules/aspects.js'
export * from './rules/collections.js'
export * from './rules/job-links.js'
export * from './rules/jobs.js'
export * from './rules/provenance.js'
export { type ReadableHandle, streamHandle } from './streams/handle-stream.js'
export { type Hasher, hashAll } from './streams/hasher.js'
export { ListProgress } from './streams/list-progress.js'
export { mimeOf } from './streams/mime.js'
export { type Piece, piecesOf } from './streams/pieces-of.js'
export * from './streams/progress.js'
export { type NextBytes, pullStream } from './streams/pull-stream.js'
export * from './streams/range.js'
export { createSha256, withDigest } from './streams/sha256.js'
export { type Content, contentSource } from './streams/source.js'
export { closed, type DownloadState, fillPart } from './transfer/fill-part.js'
export { withLargeReads } from './transfer/large-reads.js'
export { type OpenRange, orderedRanges } from './transfer/ordered-ranges.js'
export { type ParallelParts, parallelParts } from './transfer/parallel-parts.js'
export * from './wire/artifact.js'
export * from './wire/aspect.js'
export { UrnText } from './wire/fields.js'
export * from './wire/job.js'
export * from './wire/service.js'
