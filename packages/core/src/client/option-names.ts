/** The names of the options of each public function: what is not among them is refused. */
import type { OptionNames } from '../model/options.js'
import type { VerifyOptions } from '../model/problems.js'
import type { AddManyOptions } from './add-aspects.js'
import type { ReadOptions, StreamOptions } from './artifact.js'
import type { AspectInput, AssertOptions, ListAspectsOptions } from './aspect-input.js'
import type { AddItemOptions, ListItemsOptions } from './collection-items.js'
import type { CreateCollectionOptions, GetCollectionOptions, ListCollectionsOptions } from './collections.js'
import type { IvcapOptions } from './ivcap.js'
import type { WaitOptions } from './job.js'
import type { LineageOptions } from './lineage.js'
import type { ListOptions } from './list-options.js'
import type { CallOptions } from './operation.js'
import type { SearchOptions } from './search.js'
import type { RequestJobOptions } from './service.js'
import type { UploadOptions } from './upload.js'
import type { UploadManyOptions } from './upload-many.js'

export const CALL: OptionNames<CallOptions> = { signal: true, timeout: true }

export const IVCAP: OptionNames<IvcapOptions> = {
  stateDir: true,
  logger: true,
  onEvent: true,
  timeout: true,
}

export const UPLOAD: OptionNames<UploadOptions> = {
  name: true,
  filePath: true,
  content: true,
  contentType: true,
  contentSize: true,
  collection: true,
  policy: true,
  chunkSize: true,
  retries: true,
  retryDelay: true,
  forceUpload: true,
  sidecar: true,
  onProgress: true,
  ...CALL,
}

export const UPLOAD_MANY: OptionNames<UploadManyOptions<unknown>> = {
  concurrency: true,
  signal: true,
  onOutcome: true,
}

export const READ: OptionNames<ReadOptions> = {
  signal: true,
  onProgress: true,
  retries: true,
  retryDelay: true,
}

export const STREAM: OptionNames<StreamOptions> = { range: true, ...READ }

export const ASSERT: OptionNames<AssertOptions> = { schema: true, policy: true, ...CALL }

export const ASPECT_INPUT: OptionNames<AspectInput> = {
  entity: true,
  content: true,
  schema: true,
  policy: true,
}

export const ADD_MANY: OptionNames<AddManyOptions> = { concurrency: true, onAdded: true, ...CALL }

export const LIST: OptionNames<ListOptions> = {
  limit: true,
  filter: true,
  orderBy: true,
  orderDesc: true,
  atTime: true,
  ...CALL,
}

export const METADATA: OptionNames<Omit<ListAspectsOptions, 'entity'>> = {
  schema: true,
  contentPath: true,
  filter: true,
  atTime: true,
  limit: true,
  orderBy: true,
  orderDirection: true,
  includeContent: true,
  ...CALL,
}

export const LIST_ASPECTS: OptionNames<ListAspectsOptions> = { entity: true, ...METADATA }

export const CREATE_COLLECTION: OptionNames<CreateCollectionOptions> = {
  name: true,
  description: true,
  id: true,
  policy: true,
  ...CALL,
}

export const GET_COLLECTION: OptionNames<GetCollectionOptions> = { atTime: true, ...CALL }

export const LIST_COLLECTIONS: OptionNames<ListCollectionsOptions> = {
  nameFilter: true,
  limit: true,
  atTime: true,
  ...CALL,
}

export const ADD_ITEM: OptionNames<AddItemOptions> = { policy: true, ...CALL }

export const LIST_ITEMS: OptionNames<ListItemsOptions> = { limit: true, atTime: true, ...CALL }

export const LINEAGE: OptionNames<LineageOptions> = { depth: true, direction: true, limit: true, ...CALL }

export const SEARCH: OptionNames<SearchOptions> = { atTime: true, limit: true, ...CALL }

export const VERIFY: OptionNames<CallOptions & VerifyOptions> = { digests: true, ...CALL }

export const WAIT: OptionNames<WaitOptions> = { pollInterval: true, ...CALL }

export const REQUEST_JOB: OptionNames<RequestJobOptions> = { signal: true, timeout: true }
