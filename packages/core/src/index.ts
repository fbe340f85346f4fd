/// <reference lib="esnext.disposable" />
/** Store, find, annotate and fetch scientific data on IVCAP, or anywhere a backend reaches. */

export type { AddManyOptions } from './client/add-aspects.js'
export { Artifact, isArtifact, type ReadOptions, type StreamOptions } from './client/artifact.js'
export type { ListArtifactsOptions } from './client/artifacts.js'
export { Aspect } from './client/aspect.js'
export type { AspectInput, AssertOptions, ListAspectsOptions } from './client/aspect-input.js'
export type { ByteStream } from './client/byte-stream.js'
export type { Collection } from './client/collection.js'
export type { AddItemOptions, CollectionItem, ListItemsOptions } from './client/collection-items.js'
export type {
  CreateCollectionOptions,
  GetCollectionOptions,
  ListCollectionsOptions,
} from './client/collections.js'
export type { Logger } from './client/context.js'
export { Ivcap, type IvcapOptions } from './client/ivcap.js'
export { Job, type WaitOptions } from './client/job.js'
export type { Lineage, LineageOptions } from './client/lineage.js'
export type { JobArtifacts } from './client/lineage-links.js'
export type { LineageEdge, LineageNode } from './client/lineage-walk.js'
export type { ListOptions } from './client/list-options.js'
export type { Listing } from './client/listing.js'
export type { LocalFile } from './client/local-file.js'
export type { CallOptions } from './client/operation.js'
export type { Provenance } from './client/provenance.js'
export type { SearchOptions } from './client/search.js'
export { type ListJobsOptions, type RequestJobOptions, Service } from './client/service.js'
export type { ListServicesOptions } from './client/services.js'
export type { UploadOptions } from './client/upload.js'
export type { UploadInput, UploadManyOptions, UploadOutcome } from './client/upload-many.js'
export { IvcapError, type IvcapErrorCode, type IvcapErrorDetails, isIvcapError } from './model/errors.js'
export type { EventListener, IvcapEvent } from './model/events.js'
export type { JsonInput, JsonObject, JsonValue } from './model/json.js'
export type { Problem, ProblemKind, VerifyOptions } from './model/problems.js'
export type { ArtifactRecord, ArtifactStatus, AspectRecord } from './model/records.js'
export type {
  JobRecord,
  JobStatus,
  ParameterOption,
  ParameterType,
  ServiceParameter,
  ServiceRecord,
} from './model/services.js'
export type { TimeInput, Timestamp } from './model/time.js'
export type { Urn } from './model/urn.js'
export type { Backend, ByteRange } from './ports.js'
export type { Content } from './transfer/source.js'
