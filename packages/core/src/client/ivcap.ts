import * as files from '#files'
import type { EventListener } from '../model/events.js'
import type { JsonInput, JsonObject } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import type { Problem, VerifyOptions } from '../model/problems.js'
import type { Backend } from '../ports.js'
import { type AddManyOptions, addAspects } from './add-aspects.js'
import type { Artifact } from './artifact.js'
import * as artifacts from './artifacts.js'
import type { Aspect } from './aspect.js'
import type { AspectInput, AssertOptions, ListAspectsOptions } from './aspect-input.js'
import * as aspects from './aspects.js'
import { type Collection, retractCollection } from './collection.js'
import { type AddItemOptions, addItem, type CollectionItem, removeItem } from './collection-items.js'
import type { CreateCollectionOptions, GetCollectionOptions, ListCollectionsOptions } from './collections.js'
import * as collections from './collections.js'
import type { Context, Logger } from './context.js'
import { asyncDispose } from './dispose.js'
import { type Lineage, type LineageOptions, lineageOf } from './lineage.js'
import type { Listing } from './listing.js'
import { maintenance } from './maintenance.js'
import { type CallOptions, checkTimeout } from './operation.js'
import { type SearchOptions, search } from './search.js'
import type { Service } from './service.js'
import * as services from './services.js'
import type { UploadOptions } from './upload.js'
import { type UploadInput, type UploadManyOptions, type UploadOutcome, uploadMany } from './upload-many.js'

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

/** The client: what people hold to store, find, annotate and fetch artifacts, whatever the backend. */
export class Ivcap implements AsyncDisposable {
  readonly #context: Context
  readonly #memory: files.UploadMemory

  constructor(backend: Backend, { stateDir, logger = {}, onEvent, timeout }: IvcapOptions = {}) {
    this.#context = {
      backend,
      logger,
      ...(onEvent !== undefined && { onEvent }),
      ...(timeout !== undefined && { timeout: checkTimeout(timeout) }),
    }
    this.#memory = files.uploadMemory(omitUndefined({ stateDir }))
  }

  /** Where the artifacts are, e.g. `https://api.example.com`, `file:///data/ivcap-artifacts`. */
  get url(): string {
    return this.#context.backend.artifacts.location
  }

  /**
   * Stores a file or content as a new artifact; it is there, whole, when this returns, or not at all. A `filePath` that
   * was uploaded to this deployment before and has not changed since gives that artifact, unless `forceUpload` is set.
   *
   * @throws IvcapError `missing-argument`, `invalid-argument`; `integrity` when the file changes while it is read
   */
  uploadArtifact(o: UploadOptions): Promise<Artifact> {
    return artifacts.uploadArtifact(this.#context, this.#memory, o)
  }

  /**
   * Stores many, some at once. One that fails takes none of the others with it: the answer tells of each, in the order of
   * the input, its artifact or its error.
   */
  uploadArtifacts(
    uploads: Iterable<UploadInput> | AsyncIterable<UploadInput>,
    o: UploadManyOptions = {},
  ): Promise<UploadOutcome<Artifact>[]> {
    return uploadMany(uploads, o, (one) => this.uploadArtifact(one))
  }

  /**
   * The artifact with this id: a URN or bare uuid, or `urn:file:///…` or `file:///…` for a file of this machine.
   *
   * @throws IvcapError `invalid-argument`, `not-found`
   */
  getArtifact(id: string, o: CallOptions = {}): Promise<Artifact> {
    return artifacts.getArtifact(this.#context, id, o)
  }

  /** Newest first unless told otherwise; 10 of them unless told otherwise. */
  listArtifacts(o: artifacts.ListArtifactsOptions = {}): Listing<Artifact> {
    return artifacts.listArtifacts(this.#context, o)
  }

  /**
   * The artifact that an earlier upload of this very file left on this deployment; undefined when there is none, when the
   * file has changed since, or where the store does not remember uploads (local, memory).
   */
  artifactForFile(filePath: string, o: CallOptions = {}): Promise<Artifact | undefined> {
    return artifacts.artifactForFile(this.#context, this.#memory, filePath, o)
  }

  /**
   * Adds an aspect to an entity, beside those that are there.
   *
   * @param entity URN (or any URI) of what it is about
   * @param content JSON object; its `$schema` is the aspect's schema unless the option `schema` is given
   */
  addAspect(entity: string, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return aspects.assertAspect(this.#context, 'addAspect', { ...o, entity, content }, o)
  }

  /** Adds many, some at once. Those added before a failure stay. */
  addAspects(
    inputs: Iterable<AspectInput> | AsyncIterable<AspectInput>,
    o: AddManyOptions = {},
  ): Promise<Aspect[]> {
    return addAspects(this.#context, inputs, o)
  }

  /** Adds an aspect in place of those of the same entity and schema, which are retracted. */
  updateAspect(entity: string, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return aspects.assertAspect(this.#context, 'updateAspect', { ...o, entity, content }, o)
  }

  /** The aspect with this URN or uuid, retracted ones too. @throws IvcapError `invalid-argument`, `not-found` */
  getAspect(id: string, o: CallOptions = {}): Promise<Aspect> {
    return aspects.getAspect(this.#context, id, o)
  }

  /** What is in force (or was, at `atTime`), newest first unless told otherwise; 10 of them unless told otherwise. */
  listAspects(o: ListAspectsOptions = {}): Listing<Aspect> {
    return aspects.listAspects(this.#context, 'listAspects', o)
  }

  /**
   * Makes a collection, a named set of artifacts or of whatever has a URN; or gives one that exists (`id`) another name and
   * description.
   *
   * @throws IvcapError `invalid-argument`
   */
  createCollection(o: CreateCollectionOptions): Promise<Collection> {
    return collections.createCollection(this.#context, o)
  }

  /** The collection with this URN (as it was at `atTime`). @throws IvcapError `not-found` */
  getCollection(id: string, o: GetCollectionOptions = {}): Promise<Collection> {
    return collections.getCollection(this.#context, id, o)
  }

  /** Newest first; 10 of them unless told otherwise. */
  listCollections(o: ListCollectionsOptions = {}): Listing<Collection> {
    return collections.listCollections(this.#context, o)
  }

  /** Adds an item, any URN, to a collection. Undefined: it is in there already. */
  addToCollection(
    collection: string,
    item: string,
    o: AddItemOptions = {},
  ): Promise<CollectionItem | undefined> {
    return addItem(this.#context, collection, item, o)
  }

  /** Takes an item out of a collection. Whether it was in there. */
  removeFromCollection(collection: string, item: string, o: CallOptions = {}): Promise<boolean> {
    return removeItem(this.#context, collection, item, o)
  }

  /** Retracts the items of a collection, then the collection. How many aspects that were. @throws IvcapError `not-found` */
  retractCollection(id: string, o: CallOptions = {}): Promise<number> {
    return retractCollection(this.#context, id, o)
  }

  /** The service with this URN or uuid. @throws IvcapError `not-found`; `unsupported` where there are none */
  getService(id: string, o: CallOptions = {}): Promise<Service> {
    return services.getService(this.#context, id, o)
  }

  /** The service of this very name; `%` stands for any characters. @throws IvcapError `not-found`, `ambiguous`, `unsupported` */
  getServiceByName(name: string, o: CallOptions = {}): Promise<Service> {
    return services.getServiceByName(this.#context, name, o)
  }

  /** 10 of them unless told otherwise. @throws IvcapError `unsupported` */
  listServices(o: services.ListServicesOptions = {}): Listing<Service> {
    return services.listServices(this.#context, o)
  }

  /** What an artifact or a job was made of, and what was made of it, as a graph. */
  lineage(id: string, o: LineageOptions = {}): Promise<Lineage> {
    return lineageOf(this.#context, id, o)
  }

  /** A Datalog query over the Datafabric. @throws IvcapError `unsupported` off the platform */
  search(datalog: string, o: SearchOptions = {}): Promise<readonly JsonObject[]> {
    return search(this.#context, datalog, o)
  }

  /**
   * What is damaged or orphaned in this place: every record, and the size and digest of every artifact. Reads everything,
   * changes nothing.
   *
   * @throws IvcapError `unsupported` where the place cannot be examined from here
   */
  verify({ digests, ...o }: CallOptions & VerifyOptions = {}): Promise<readonly Problem[]> {
    return maintenance(this.#context, 'verify', o, (op) => ({ digests, ...op }))
  }

  /**
   * Rebuilds what can be derived from the records, e.g. lost index entries. Deletes no content. Returns what it mended.
   *
   * @throws IvcapError `unsupported` where there is nothing to rebuild
   */
  repair(o: CallOptions = {}): Promise<readonly Problem[]> {
    return maintenance(this.#context, 'repair', o, (op) => op)
  }

  /** Lets go of what the backend holds open; jobs that run in this process are waited for, or cancelled if it takes long. */
  async close(): Promise<void> {
    const { backend } = this.#context
    await backend.services?.close?.()
    await backend.close?.()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }
}
