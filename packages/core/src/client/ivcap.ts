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
import {
  type FindArtifactsOptions,
  type FindTypedOptions,
  type FoundArtifact,
  findArtifacts,
} from './artifacts/find.js'
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
  /** Folder for what is remembered of uploads (default: the user's cache folder), or false to remember nothing. */
  readonly stateDir?: string | false | undefined
  /** Hook for all messages; a console will do; the default is silence. */
  readonly logger?: Logger | undefined
  /** Hears what results do not tell: retries, resumed transfers, what was left out. @default nobody hears them */
  readonly onEvent?: EventListener | undefined
  /** Milliseconds for each call that names none; streams are not bound by it. */
  readonly timeout?: number | undefined
}

export interface SearchOptions extends CallOptions {
  /** @default now */
  readonly atTime?: TimeInput | undefined
  /** Rows; Infinity for all. @default 10 */
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

/** The client: what people hold to store, find, annotate and fetch artifacts, whatever the backend. */
export class Ivcap implements AsyncDisposable {
  readonly #context: Context
  readonly #memory: files.UploadMemory

  /** @throws IvcapError `invalid-argument` for what is no backend, and for unknown options */
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

  /** Where the artifacts are, e.g. `https://api.example.com`, `file:///data/ivcap-artifacts`, `memory:`. */
  get url(): string {
    return this.#context.backend.artifacts.location
  }

  /**
   * Stores a file or content as a new artifact; it is there, whole, when this returns, or not at all. A `filePath` that
   * was uploaded to this deployment before and has not changed since gives that artifact, unless `forceUpload` is set.
   *
   * @throws IvcapError `missing-argument`, `invalid-argument`; `integrity` when the file changes while it is read
   */
  async uploadArtifact(o: UploadOptions): Promise<Artifact> {
    return artifacts.uploadArtifact(this.#context, this.#memory, o)
  }

  /**
   * Stores many, some at once. One that fails takes none of the others with it: the answer tells of each, in the order of
   * the input, its artifact or its error. An input without an end needs `onOutcome`, so that outcomes are not collected.
   */
  async uploadArtifacts(
    uploads: Items<UploadInput>,
    o: UploadManyOptions<Artifact> = {},
  ): Promise<UploadOutcome<Artifact>[]> {
    return uploadMany(uploads, o, (one) => artifacts.uploadArtifact(this.#context, this.#memory, one))
  }

  /**
   * The artifact with this id: a URN or bare uuid, or `urn:file:///…` or `file:///…` for a file of this machine. As wherever
   * an id is taken, a handle or a record will do.
   *
   * @throws IvcapError `invalid-argument`, `not-found`
   */
  async getArtifact(id: Reference, o: CallOptions = {}): Promise<Artifact> {
    return artifacts.getArtifact(this.#context, id, o)
  }

  /** Newest first unless told otherwise; 10 of them unless told otherwise. */
  listArtifacts(o: artifacts.ListArtifactsOptions = {}): Listing<Artifact> {
    return artifacts.listArtifacts(this.#context, o)
  }

  /**
   * Artifacts by what is said of them: `findArtifacts({ schema, where: { depth: { gt: 10 } } })`. Each artifact comes once, in the
   * order of the aspects that match, newest first unless told otherwise; 10 of them unless told otherwise. Artifacts that can't
   * be read are left out, and told by an event.
   *
   * @throws IvcapError `invalid-argument`, with the place in `where` that can't be meant
   */
  findArtifacts<T>(o: FindTypedOptions<T>): Listing<FoundArtifact>
  findArtifacts(o?: FindArtifactsOptions): Listing<FoundArtifact>
  findArtifacts(o: FindArtifactsOptions & { readonly type?: AspectType } = {}): Listing<FoundArtifact> {
    return findArtifacts(this.#context, o)
  }

  /**
   * The artifact that an earlier upload of this very file left on this deployment; undefined when there is none, when the
   * file has changed since, or where the store does not remember uploads (local, memory).
   */
  async artifactForFile(filePath: string, o: CallOptions = {}): Promise<Artifact | undefined> {
    return artifacts.artifactForFile(this.#context, this.#memory, filePath, o)
  }

  /**
   * Adds an aspect to an entity, beside those that are there.
   *
   * @param entity URN (or any URI) of what it is about, or a handle of that
   * @param content JSON object; its `$schema` is the aspect's schema unless the option `schema` is given
   */
  async addAspect(entity: Reference, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return aspects.assertAspect(this.#context, 'addAspect', { entity, content }, o)
  }

  /**
   * Adds many, some at once. Those added before a failure stay. An input without an end needs `onAdded`, so that aspects are not
   * collected.
   */
  async addAspects(inputs: Items<AspectInput>, o: AddManyOptions = {}): Promise<Aspect[]> {
    return addAspects(this.#context, inputs, o)
  }

  /** Adds an aspect in place of those of the same entity and schema, which are retracted. */
  async updateAspect(entity: Reference, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return aspects.assertAspect(this.#context, 'updateAspect', { entity, content }, o)
  }

  /** The aspect with this URN or uuid, retracted ones too. @throws IvcapError `invalid-argument`, `not-found` */
  async getAspect(id: Reference, o: CallOptions = {}): Promise<Aspect> {
    return aspects.getAspect(this.#context, id, o)
  }

  /** What is in force (or was, at `atTime`), newest first unless told otherwise; 10 of them unless told otherwise. */
  listAspects<T>(o: ListTypedOptions<T>): Listing<TypedAspect<T>>
  listAspects(o?: ListAspectsOptions): Listing<Aspect>
  listAspects(o: ListAspectsOptions & { readonly type?: AspectType } = {}): Listing<Aspect> {
    const { type, ...query } = checkOptions(o, LIST_TYPED_OPTIONS, 'listAspects')
    if (type === undefined) return aspects.listAspects(this.#context, 'listAspects', query)
    return aspects.listTyped(this.#context, 'listAspects', type, query)
  }

  /**
   * Makes a collection, a named set of artifacts or of whatever has a URN; or gives one that exists (`id`) another name and
   * description.
   *
   * @throws IvcapError `invalid-argument`
   */
  async createCollection(o: collections.CreateCollectionOptions): Promise<Collection> {
    return collections.createCollection(this.#context, o)
  }

  /** The collection with this URN (as it was at `atTime`). @throws IvcapError `not-found` */
  async getCollection(id: Reference, o: collections.GetCollectionOptions = {}): Promise<Collection> {
    return collections.getCollection(this.#context, id, o)
  }

  /** Newest first; 10 of them unless told otherwise. */
  listCollections(o: collections.ListCollectionsOptions = {}): Listing<Collection> {
    return collections.listCollections(this.#context, o)
  }

  /** Adds an item, any URN, to a collection. Undefined: it is in there already. */
  async addToCollection(
    collection: Reference,
    item: Reference,
    o: AddItemOptions = {},
  ): Promise<CollectionItem | undefined> {
    return addItem(this.#context, collection, item, o)
  }

  /** Takes an item out of a collection. Whether it was in there. */
  async removeFromCollection(collection: Reference, item: Reference, o: CallOptions = {}): Promise<boolean> {
    return removeItem(this.#context, collection, item, o)
  }

  /** Retracts the items of a collection, then the collection. How many aspects that were. @throws IvcapError `not-found` */
  async retractCollection(id: Reference, o: CallOptions = {}): Promise<number> {
    return retractCollection(this.#context, id, o)
  }

  /** The service with this URN or uuid. @throws IvcapError `not-found`; `unsupported` where there are none */
  async getService(id: Reference, o: CallOptions = {}): Promise<Service> {
    return services.getService(this.#context, id, o)
  }

  /** The service of this very name; `%` stands for any characters. @throws IvcapError `not-found`, `ambiguous`, `unsupported` */
  async getServiceByName(name: string, o: CallOptions = {}): Promise<Service> {
    return services.getServiceByName(this.#context, name, o)
  }

  /** 10 of them unless told otherwise. @throws IvcapError `unsupported` */
  listServices(o: services.ListServicesOptions = {}): Listing<Service> {
    return services.listServices(this.#context, o)
  }

  /** What an artifact or a job was made of, and what was made of it, as a graph. */
  async lineage(id: Reference, o: LineageOptions = {}): Promise<Lineage> {
    const { lineageOf } = await import('./lineage/lineage.js')
    return lineageOf(this.#context, id, o)
  }

  /** A Datalog query over the Datafabric. @throws IvcapError `unsupported` if the backend has no search */
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
   * Examines every record, and the size and digest of every artifact, and returns what is damaged or orphaned. Reads everything,
   * changes nothing.
   *
   * @throws IvcapError `unsupported` if the backend cannot examine its place
   */
  async verify(o: CallOptions & VerifyOptions = {}): Promise<readonly Problem[]> {
    const { verify } = this.#context.backend
    return call(this.#context, 'verify', o, VERIFY_OPTIONS, async (op, { digests }) => {
      if (verify === undefined) throw this.#notExamined()
      return verify({ digests, ...op })
    })
  }

  /**
   * Rebuilds what can be derived from the records, e.g. lost index entries. Deletes no content. Returns what it repaired.
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

  /** Closes what the backend holds open. Waits for jobs that run in this process, and cancels them if they take too long. */
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
