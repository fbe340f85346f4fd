/** For backend authors: the ports, and the rules and helpers that every driver needs. */

export {
  allocate,
  copyFile,
  createSha256,
  defaultStateDir,
  fileSource,
  isAbandoned,
  type LargeAnswer,
  type LargeBody,
  type LargeRequest,
  largeBody,
  largeGet,
  type NodeBody,
  thisProcess,
  withOpenFiles,
} from '#files'
export * from './model/errors.js'
export * from './model/events.js'
export * from './model/failures.js'
export * from './model/json.js'
export * from './model/omit-undefined.js'
export { checkOptions, type OptionNames } from './model/options.js'
export * from './model/plain-text.js'
export * from './model/problems.js'
export * from './model/records.js'
export * from './model/services.js'
export * from './model/time.js'
export * from './model/timers.js'
export * from './model/urn.js'
export * from './ports.js'
export { type ContentTest, compileContentPath } from './query/content-path/compile.js'
export * from './query/cursor.js'
export { artifactFilter, aspectFilter, type RecordTest } from './query/filter/index.js'
export * from './query/order.js'
export * from './query/page.js'
export { PageProgress } from './query/page-progress.js'
export { nextTurn, WorkBudget, type WorkBudgetOptions } from './query/work.js'
export * from './rules/artifact-order.js'
export * from './rules/aspect-json.js'
export * from './rules/aspect-order.js'
export { type AspectTest, aspectSelector } from './rules/aspect-selection.js'
export * from './rules/aspects.js'
export * from './rules/collections.js'
export * from './rules/provenance.js'
export {
  type ConnectionFault,
  connectionFault,
  retryAfterOf,
  systemCode,
} from './transfer/connection-fault.js'
export { withDigest } from './transfer/digest.js'
export { closed, type DownloadState, fillPart } from './transfer/fill-part.js'
export { abortable, laterThan } from './transfer/grace.js'
export { type ReadableHandle, streamHandle } from './transfer/handle-stream.js'
export { type Hasher, hashAll } from './transfer/hasher.js'
export { readingMuch } from './transfer/large-reads.js'
export { ListProgress } from './transfer/list-progress.js'
export { mimeOf } from './transfer/mime.js'
export { type OpenRange, orderedRanges } from './transfer/ordered-ranges.js'
export { type ParallelParts, parallelParts } from './transfer/parallel-parts.js'
export { type Piece, piecesOf } from './transfer/pieces-of.js'
export * from './transfer/progress.js'
export * from './transfer/range.js'
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
} from './transfer/retry.js'
export { type Content, contentSource } from './transfer/source.js'
