/**
 * For backend authors: the ports, the records that pass through them, errors, events, and the helpers that every driver needs.
 * A driver gets complete, valid input from the client; what it owes in return is written beside each port.
 */

export { IvcapError, type IvcapErrorCode, isIvcapError } from './model/errors.js'
export { type EventListener, emit, type IvcapEvent } from './model/events.js'
export type { FailureLog } from './model/failures.js'
export { isJsonObject, type JsonObject, type JsonValue } from './model/json.js'
export { omitUndefined } from './model/omit-undefined.js'
export { checkOptions } from './model/options.js'
export type { Problem, VerifyOptions } from './model/problems.js'
export type { ArtifactRecord, ArtifactStatus, AspectRecord } from './model/records.js'
export type { JobRecord, JobStatus, ServiceRecord } from './model/services.js'
export { type Timestamp, timestamp } from './model/time.js'
export { artifactUrn, aspectUrn, isUrn, type Urn } from './model/urn.js'
export type * from './ports/index.js'
export { abortable } from './retry/delayed-abort.js'
export { opOptions, type RetryOptions, retry, sleep } from './retry/retry.js'
export { progressOf } from './streams/progress.js'
export { resolveRange } from './streams/range.js'
export { contentSource } from './streams/source.js'
