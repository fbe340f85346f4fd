/// <reference lib="esnext.disposable" />
/** Store, find, annotate and fetch scientific data on IVCAP, or anywhere a backend reaches. */

export { Artifact, isArtifact, type ReadOptions, type StreamOptions } from './client/artifacts/artifact.js'
export type { ListArtifactsOptions } from './client/artifacts/artifacts.js'
export type { ByteStream } from './client/artifacts/byte-stream.js'
export type { OpenFile, UploadContent } from './client/artifacts/content.js'
export type {
  AspectCondition,
  FindArtifactsOptions,
  FindTypedOptions,
} from './client/artifacts/find.js'
export type { FoundArtifact } from './client/artifacts/found-artifacts.js'
export type { LocalFile } from './client/artifacts/local-file.js'
export type { GetMetadataOptions } from './client/artifacts/metadata.js'
export type { UploadOptions } from './client/artifacts/upload.js'
export type { UploadInput, UploadManyOptions, UploadOutcome } from './client/artifacts/upload-many.js'
export type { AddManyOptions } from './client/aspects/add-aspects.js'
export { Aspect } from './client/aspects/aspect.js'
export type {
  AspectInput,
  AssertOptions,
  ListAspectsOptions,
  ListTypedOptions,
} from './client/aspects/aspect-input.js'
export { type AspectType, defineAspect, type TypedAspect } from './client/aspects/aspect-type.js'
export type { Collection } from './client/collections/collection.js'
export type {
  AddItemOptions,
  CollectionItem,
  ListItemsOptions,
} from './client/collections/collection-items.js'
export type {
  CreateCollectionOptions,
  GetCollectionOptions,
  ListCollectionsOptions,
} from './client/collections/collections.js'
export type { Logger } from './client/context.js'
export { Ivcap, type IvcapOptions, type SearchOptions } from './client/ivcap.js'
export type { Lineage, LineageOptions } from './client/lineage/lineage.js'
export type { JobArtifacts } from './client/lineage/lineage-links.js'
export type { LineageEdge, LineageNode } from './client/lineage/lineage-walk.js'
export type { Provenance } from './client/lineage/provenance.js'
export type { Listing, ListOptions } from './client/listing.js'
export type { CallOptions } from './client/operation.js'

export { Job, type WaitOptions } from './client/services/job.js'
export { type ListJobsOptions, type RequestJobOptions, Service } from './client/services/service.js'
export type { ListServicesOptions } from './client/services/services.js'
export {
  type Issue,
  IvcapError,
  type IvcapErrorCode,
  type IvcapErrorDetails,
  isIvcapError,
} from './model/errors.js'
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
export type { StandardSchema } from './model/standard-schema.js'
export type { TimeInput, Timestamp } from './model/time.js'
export type { Urn } from './model/urn.js'
export type { Backend, ByteRange } from './ports/index.js'
export type { Condition, Operators, Where } from './query/where/types.js'
export type { Content } from './streams/source.js'
