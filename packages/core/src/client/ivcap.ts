import * as files from '#runtime'
import { IvcapError } from '../model/errors.js'
import type { EventListener } from '../model/events.js'
import type { JsonInput, JsonObject } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { checkOptions, type OptionNames } from '../model/options.js'
import type { Problem, VerifyOptions } from '../model/problems.js'
import type { TimeInput } from '../model/time.js'
import { show } from '../model/urn.js'
import type { Backend } from '../ports/index.js'
import { checkLimit, checkText, checkTimeout, parseAtTime } from './arguments.js'
import type { Artifact } from './artifacts/artifact.js'
import * as artifacts from './artifacts/artifacts.js'
import { type FindArtifactsOptions, type FindTypedOptions, findArtifacts } from './artifacts/find.js'
import type { FoundArtifact } from './artifacts/found-artifacts.js'
import { asyncDispose } from './artifacts/local-file.js'
import type { UploadOptions } from './artifacts/upload.js'
import {
  type UploadInput,
  type UploadManyOptions,
  type UploadOutcome,
  uploadMany,
} from './artifacts/upload-many.js'
import { type AddManyOptions, addAspects } from './aspects/add-aspects.js'
import type { Aspect } from './aspects/aspect.js'
import {
  type AspectInput,
  type AssertOptions,
  LIST_TYPED_OPTIONS,
  type ListAspectsOptions,
  type ListTypedOptions,
} from './aspects/aspect-input.js'
import type { AspectType, TypedAspect } from './aspects/aspect-type.js'
import * as aspects from './aspects/aspects.js'
import { type Collection, retractCollection } from './collections/collection.js'
import {
  type AddItemOptions,
  addItem,
  type CollectionItem,
  removeItem,
} from './collections/collection-items.js'
import * as collections from './collections/collections.js'
import type { Items } from './concurrently.js'
import { type Context, checkBackend, type Logger } from './context.js'
import type { Reference } from './handle.js'
import { inspectable } from './inspect.js'
import type { Lineage, LineageOptions } from './lineage/lineage.js'
import type { Listing } from './listing.js'
import { CALL_OPTIONS, type CallOptions, call } from './operation.js'
import type { Service } from './services/service.js'
import * as services from './services/services.js'

export interface IvcapOptions {
  /** Folder for data about earlier uploads; false disables it. @default the user's cache folder */
  readonly stateDir?: string | false | undefined
  /** Receives all messages, e.g. `console`. @default messages are discarded */
  readonly logger?: Logger | undefined
  /** Receives events that results do not show: retries, resumed transfers, omitted items. @default events are discarded */
  readonly onEvent?: EventListener | undefined
  /** Milliseconds for each call without a timeout of its own. Does not apply to streams. @default no limit */
  readonly timeout?: number | undefined
}

export interface SearchOptions extends CallOptions {
  /** @default now */
  readonly atTime?: TimeInput | undefined
  /** Maximum number of rows; Infinity for all. @default 10 */
  readonly limit?: number | undefined
}

const SEARCH_OPTIONS: OptionNames<SearchOptions> = { atTime: true, limit: true, ...CALL_OPTIONS }

const VERIFY_OPTIONS: OptionNames<CallOptions & VerifyOptions> = { digests: true, ...CALL_OPTIONS }

const IVCAP_OPTIONS: OptionNames<IvcapOptions> = {
  stateDir: true,
  logger: true,
  onEvent: true,
  timeout: true,
}

/** The client. It stores, finds, annotates and fetches artifacts on any backend. */
export class Ivcap implements AsyncDisposable {
  readonly #context: Context
  readonly #memory: files.UploadMemory

  /** @throws IvcapError `invalid-argument` if `backend` is not a backend, and for unknown options */
  constructor(backend: Backend, o: IvcapOptions = {}) {
    const { stateDir, logger = {}, onEvent, timeout } = checkOptions(o, IVCAP_OPTIONS, 'Ivcap')
    checkStateDir(stateDir)
    this.#context = {
      backend: checkBackend(backend),
      logger,
      ...(onEvent !== undefined && { onEvent }),
      ...(timeout !== undefined && { timeout: checkTimeout(timeout) }),
    }
    this.#memory = files.uploadMemory(omitUndefined({ stateDir }))
  }

  static {
    inspectable<Ivcap>(Ivcap.prototype, ({ url }) => ({ kind: 'Ivcap', fields: { url } }))
  }

  /** Location of the artifacts, e.g. `https://api.example.com`, `file:///data/ivcap-artifacts`, `memory:`. */
  get url(): string {
    return this.#context.backend.artifacts.location
  }

  /**
   * Stores a file or content as a new artifact. When this returns, the whole artifact is stored; if it fails, nothing is. If
   * `filePath` was uploaded to this deployment before and has not changed since, returns that artifact unless `forceUpload` is set.
   *
   * @throws IvcapError `missing-argument`, `invalid-argument`; `integrity` if the file changes while it is read
   */
  async uploadArtifact(o: UploadOptions): Promise<Artifact> {
    return artifacts.uploadArtifact(this.#context, this.#memory, o)
  }

  /**
   * Stores many artifacts, several at a time. A failed upload does not affect the others: the result has an artifact or an error
   * for each input, in input order. For an endless input, give `onOutcome`, so that outcomes are not collected.
   */
  async uploadArtifacts(
    uploads: Items<UploadInput>,
    o: UploadManyOptions<Artifact> = {},
  ): Promise<UploadOutcome<Artifact>[]> {
    return uploadMany(uploads, o, (one) => artifacts.uploadArtifact(this.#context, this.#memory, one))
  }

  /**
   * Returns the artifact with this id: a URN or bare uuid, or `urn:file:///…` or `file:///…` for a file on this machine. Like
   * every id argument, it may also be a handle or a record.
   *
   * @throws IvcapError `invalid-argument`, `not-found`
   */
  async getArtifact(id: Reference, o: CallOptions = {}): Promise<Artifact> {
    return artifacts.getArtifact(this.#context, id, o)
  }

  /** Lists artifacts. By default the newest come first, and `limit` is 10. */
  listArtifacts(o: artifacts.ListArtifactsOptions = {}): Listing<Artifact> {
    return artifacts.listArtifacts(this.#context, o)
  }

  /**
   * Finds artifacts by their aspects: `findArtifacts({ schema, where: { depth: { gt: 10 } } })`. Each artifact is returned once, in
   * the order of the matching aspects. By default the newest come first, and `limit` is 10. Artifacts that cannot be read are left
   * out and reported by a `left-out` event.
   *
   * @throws IvcapError `invalid-argument`, with the position of the invalid part in `where`
   */
  findArtifacts<T>(o: FindTypedOptions<T>): Listing<FoundArtifact>
  findArtifacts(o?: FindArtifactsOptions): Listing<FoundArtifact>
  findArtifacts(o: FindArtifactsOptions & { readonly type?: AspectType } = {}): Listing<FoundArtifact> {
    return findArtifacts(this.#context, o)
  }

  /**
   * Returns the artifact of an earlier upload of this file to this deployment. Returns undefined if it was not uploaded there, if the file has
   * changed since, or if the store does not remember uploads (local, memory).
   */
  async artifactForFile(filePath: string, o: CallOptions = {}): Promise<Artifact | undefined> {
    return artifacts.artifactForFile(this.#context, this.#memory, filePath, o)
  }

  /**
   * Adds an aspect to an entity. Existing aspects stay in force.
   *
   * @param entity URN (or any URI) of the entity, or a handle of it
   * @param content JSON object; its `$schema` is the aspect's schema unless the option `schema` is given
   */
  async addAspect(entity: Reference, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return aspects.assertAspect(this.#context, 'addAspect', { entity, content }, o)
  }

  /**
   * Adds many aspects, several at a time. Aspects that were added before a failure stay. For an endless input, give `onAdded`, so
   * that aspects are not collected.
   */
  async addAspects(inputs: Items<AspectInput>, o: AddManyOptions = {}): Promise<Aspect[]> {
    return addAspects(this.#context, inputs, o)
  }

  /** Adds an aspect and retracts the aspects of the same entity and schema. */
  async updateAspect(entity: Reference, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return aspects.assertAspect(this.#context, 'updateAspect', { entity, content }, o)
  }

  /** Returns the aspect with this URN or uuid, even if it is retracted. @throws IvcapError `invalid-argument`, `not-found` */
  async getAspect(id: Reference, o: CallOptions = {}): Promise<Aspect> {
    return aspects.getAspect(this.#context, id, o)
  }

  /** Lists the aspects in force (at `atTime`, if given). By default the newest come first, and `limit` is 10. */
  listAspects<T>(o: ListTypedOptions<T>): Listing<TypedAspect<T>>
  listAspects(o?: ListAspectsOptions): Listing<Aspect>
  listAspects(o: ListAspectsOptions & { readonly type?: AspectType } = {}): Listing<Aspect> {
    const { type, ...query } = checkOptions(o, LIST_TYPED_OPTIONS, 'listAspects')
    if (type === undefined) return aspects.listAspects(this.#context, 'listAspects', query)
    return aspects.listTyped(this.#context, 'listAspects', type, query)
  }

  /**
   * Creates a collection: a named set of artifacts, or of any items that have a URN. If `id` names an existing collection, changes
   * its name and description.
   *
   * @throws IvcapError `invalid-argument`
   */
  async createCollection(o: collections.CreateCollectionOptions): Promise<Collection> {
    return collections.createCollection(this.#context, o)
  }

  /** Returns the collection with this URN (as it was at `atTime`, if given). @throws IvcapError `not-found` */
  async getCollection(id: Reference, o: collections.GetCollectionOptions = {}): Promise<Collection> {
    return collections.getCollection(this.#context, id, o)
  }

  /** Lists collections, newest first. @default `limit` is 10 */
  listCollections(o: collections.ListCollectionsOptions = {}): Listing<Collection> {
    return collections.listCollections(this.#context, o)
  }

  /** Adds an item (any URN) to a collection. Returns undefined if it is already in the collection. */
  async addToCollection(
    collection: Reference,
    item: Reference,
    o: AddItemOptions = {},
  ): Promise<CollectionItem | undefined> {
    return addItem(this.#context, collection, item, o)
  }

  /** Removes an item from a collection. Returns whether it was in the collection. */
  async removeFromCollection(collection: Reference, item: Reference, o: CallOptions = {}): Promise<boolean> {
    return removeItem(this.#context, collection, item, o)
  }

  /** Retracts a collection's items, then the collection. Returns the number of retracted aspects. @throws IvcapError `not-found` */
  async retractCollection(id: Reference, o: CallOptions = {}): Promise<number> {
    return retractCollection(this.#context, id, o)
  }

  /** Returns the service with this URN or uuid. @throws IvcapError `not-found`; `unsupported` if the backend has no services */
  async getService(id: Reference, o: CallOptions = {}): Promise<Service> {
    return services.getService(this.#context, id, o)
  }

  /** Returns the service with this name; `%` matches any characters. @throws IvcapError `not-found`, `ambiguous`, `unsupported` */
  async getServiceByName(name: string, o: CallOptions = {}): Promise<Service> {
    return services.getServiceByName(this.#context, name, o)
  }

  /** Lists services. By default `limit` is 10. @throws IvcapError `unsupported` */
  listServices(o: services.ListServicesOptions = {}): Listing<Service> {
    return services.listServices(this.#context, o)
  }

  /** Returns a graph of the artifacts and jobs from which an artifact or a job was made, and of those made from it. */
  async lineage(id: Reference, o: LineageOptions = {}): Promise<Lineage> {
    const { lineageOf } = await import('./lineage/lineage.js')
    return lineageOf(this.#context, id, o)
  }

  /** Runs a Datalog query over the Datafabric. @throws IvcapError `unsupported` if the backend has no search */
  async search(datalog: string, o: SearchOptions = {}): Promise<readonly JsonObject[]> {
    const { search, artifacts } = this.#context.backend
    return call(this.#context, 'search', o, SEARCH_OPTIONS, async (op, checked) => {
      const query = checkText(datalog, 'datalog')
      const limit = checkLimit(checked.limit ?? 10)
      const atTime = parseAtTime(checked.atTime)
      if (search !== undefined) return search(query, omitUndefined({ ...op, limit, atTime }))
      const message = `${artifacts.name} (${artifacts.location}) has no Datalog search: use listAspects, or a platform`
      throw new IvcapError('unsupported', message)
    })
  }

  /**
   * Checks every record, and the size and digest of every artifact. Returns what is damaged or orphaned. Reads everything and
   * changes nothing.
   *
   * @throws IvcapError `unsupported` if the backend cannot verify its storage
   */
  async verify(o: CallOptions & VerifyOptions = {}): Promise<readonly Problem[]> {
    const { verify } = this.#context.backend
    return call(this.#context, 'verify', o, VERIFY_OPTIONS, async (op, { digests }) => {
      if (verify === undefined) throw this.#notExamined()
      return verify({ digests, ...op })
    })
  }

  /**
   * Rebuilds data that can be derived from the records, e.g. lost index entries. Deletes no content. Returns what was repaired.
   *
   * @throws IvcapError `unsupported` if the backend has nothing to rebuild
   */
  async repair(o: CallOptions = {}): Promise<readonly Problem[]> {
    const { repair } = this.#context.backend
    return call(this.#context, 'repair', o, CALL_OPTIONS, async (op) => {
      if (repair === undefined) throw this.#notExamined()
      return repair(op)
    })
  }

  /** Closes all resources of the backend. Waits for jobs that run in this process, and cancels them if they take too long. */
  async close(): Promise<void> {
    const { backend } = this.#context
    await backend.services?.close?.()
    await backend.close?.()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  toJSON(): { readonly url: string } {
    return { url: this.url }
  }

  toString(): string {
    return `Ivcap ${this.url}`
  }

  #notExamined(): IvcapError {
    return new IvcapError('unsupported', `${this.url} cannot be examined from here`, { resource: this.url })
  }
}

function checkStateDir(stateDir: unknown): void {
  if (stateDir === undefined || stateDir === false) return
  if (typeof stateDir === 'string' && stateDir !== '' && !stateDir.includes('\0')) return
  const message = `Ivcap: stateDir must be a folder, or false to remember nothing, not ${show(stateDir)}`
  throw new IvcapError('invalid-argument', message, { operation: 'Ivcap', argument: 'stateDir' })
}
