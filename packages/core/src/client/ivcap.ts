import * as files from '#files'
import { IvcapError } from '../model/errors.js'
import type { JsonInput, JsonObject } from '../model/json.js'
import { withoutAbsent } from '../model/present.js'
import { parseTime, type TimeInput } from '../model/time.js'
import { parseArtifactId, parseAspectId, pathOfFileUrn, type Urn } from '../model/urn.js'
import type { ArtifactStore, Backend } from '../ports.js'
import { Artifact } from './artifact.js'
import { Aspect, fetchRecord } from './aspect.js'
import { type AspectInput, type AssertOptions, checkText, type ListAspectsOptions } from './aspect-input.js'
import { type AddManyOptions, addAspects, assertAspect, listAspects } from './aspects.js'
import type { Context, Logger } from './context.js'
import { asyncDispose } from './dispose.js'
import { checkLimit, type Listing, listing } from './listing.js'
import { type CallOptions, checkTimeout, perform } from './operation.js'
import { checkUpload, recall, type UploadOptions, upload } from './upload.js'
import { type UploadInput, type UploadManyOptions, type UploadOutcome, uploadMany } from './upload-many.js'

export interface IvcapOptions {
  /** Folder for what is remembered of uploads (default: the user's cache folder), or false to remember nothing. */
  readonly stateDir?: string | false | undefined
  /** Hook for all messages; a console will do; the default is silence. */
  readonly logger?: Logger | undefined
  /** Milliseconds for each call that names none; streams are not bound by it. */
  readonly timeout?: number | undefined
}

export interface ListArtifactsOptions extends CallOptions {
  /** Artifacts in all; default 10; Infinity for all. */
  readonly limit?: number | undefined
  readonly filter?: string | undefined
  /** e.g. `created-at`, `name`, `size`; default `created-at`. */
  readonly orderBy?: string | undefined
  /** Default true. */
  readonly orderDesc?: boolean | undefined
  /** List what was there then. */
  readonly atTime?: TimeInput | undefined
}

export interface SearchOptions extends CallOptions {
  readonly atTime?: TimeInput | undefined
  /** Rows; default 10. */
  readonly limit?: number | undefined
}

/** The client: what people hold to store, find, annotate and fetch artifacts, whatever the backend. */
export class Ivcap implements AsyncDisposable {
  readonly #context: Context
  readonly #memory: files.UploadMemory

  constructor(backend: Backend, { stateDir, logger = {}, timeout }: IvcapOptions = {}) {
    this.#context = { backend, logger, ...(timeout !== undefined && { timeout: checkTimeout(timeout) }) }
    this.#memory = files.uploadMemory(withoutAbsent({ stateDir }))
  }

  /** Where the artifacts are, e.g. `https://api.example.com`, `file:///data/ivcap-artifacts`. */
  get url(): string {
    return this.#store.location
  }

  /**
   * Stores a file or content as a new artifact; it is there, whole, when this returns, or not at all. A `filePath` that
   * was uploaded to this deployment before and has not changed since gives that artifact, unless `forceUpload` is set.
   *
   * @throws IvcapError `missing-argument`, `invalid-argument`; `integrity` when the file changes while it is read
   */
  async uploadArtifact(o: UploadOptions): Promise<Artifact> {
    return perform(this.#context, 'uploadArtifact', o, async (op) => {
      const record = await upload(this.#store, this.#memory, checkUpload(o), op)
      return new Artifact(this.#context, this.#store, record, true)
    })
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
  async getArtifact(id: string, o: CallOptions = {}): Promise<Artifact> {
    return perform(this.#context, 'getArtifact', o, async (op) => {
      const urn = parseArtifactId(id, 'id')
      const store = this.#storeOf(urn)
      return new Artifact(this.#context, store, await store.stat(urn, op), true)
    })
  }

  /** Newest first unless told otherwise; 10 of them unless told otherwise. */
  listArtifacts(o: ListArtifactsOptions = {}): Listing<Artifact> {
    const query = withoutAbsent({
      filter: o.filter === undefined ? undefined : checkText(o.filter, 'filter'),
      orderBy: o.orderBy === undefined ? undefined : checkText(o.orderBy, 'orderBy'),
      orderDesc: o.orderDesc ?? true,
      atTime: o.atTime === undefined ? undefined : parseTime(o.atTime, 'atTime'),
    })
    return listing(
      checkLimit(o.limit ?? 10),
      (page) =>
        perform(this.#context, 'listArtifacts', o, (op) => this.#store.list({ ...query, ...page }, op)),
      (record) => new Artifact(this.#context, this.#store, record, false),
    )
  }

  /**
   * The artifact that an earlier upload of this very file left on this deployment; undefined when there is none, when the
   * file has changed since, or where the store does not remember uploads (local, memory).
   */
  async artifactForFile(filePath: string, o: CallOptions = {}): Promise<Artifact | undefined> {
    return perform(this.#context, 'artifactForFile', o, async (op) => {
      const record = await recall(this.#store, this.#memory, checkText(filePath, 'filePath'), op)
      return record && new Artifact(this.#context, this.#store, record, true)
    })
  }

  /**
   * Adds an aspect to an entity, beside those that are there.
   *
   * @param entity URN (or any URI) of what it is about
   * @param content JSON object; its `$schema` is the aspect's schema unless the option `schema` is given
   */
  addAspect(entity: string, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return assertAspect(
      this.#context,
      'addAspect',
      { entity, content, schema: o.schema, policy: o.policy },
      o,
    )
  }

  /** Adds many, some at once. Those added before a failure stay. */
  addAspects(
    aspects: Iterable<AspectInput> | AsyncIterable<AspectInput>,
    o: AddManyOptions = {},
  ): Promise<Aspect[]> {
    return addAspects(this.#context, aspects, o)
  }

  /** Adds an aspect in place of those of the same entity and schema, which are retracted. */
  updateAspect(entity: string, content: JsonInput, o: AssertOptions = {}): Promise<Aspect> {
    return assertAspect(
      this.#context,
      'updateAspect',
      { entity, content, schema: o.schema, policy: o.policy },
      o,
    )
  }

  /** The aspect with this URN or uuid, retracted ones too. @throws IvcapError `invalid-argument`, `not-found` */
  async getAspect(id: string, o: CallOptions = {}): Promise<Aspect> {
    const urn = parseAspectId(id, 'id')
    return new Aspect(this.#context, await fetchRecord(this.#context, 'getAspect', urn, o), true)
  }

  /** What is in force (or was, at `atTime`), newest first unless told otherwise; 10 of them unless told otherwise. */
  listAspects(o: ListAspectsOptions = {}): Listing<Aspect> {
    return listAspects(this.#context, 'listAspects', o)
  }

  /** A Datalog query over the Datafabric. @throws IvcapError `unsupported` off the platform */
  async search(datalog: string, o: SearchOptions = {}): Promise<readonly JsonObject[]> {
    const { search } = this.#context.backend
    return perform(this.#context, 'search', o, async (op) => {
      const query = checkText(datalog, 'datalog')
      const limit = checkLimit(o.limit ?? 10)
      if (search === undefined) {
        const message = `${this.#store.name} (${this.url}) has no Datalog search: use listAspects, or a platform`
        throw new IvcapError('unsupported', message)
      }
      return search(query, {
        ...op,
        limit,
        ...(o.atTime !== undefined && { atTime: parseTime(o.atTime, 'atTime') }),
      })
    })
  }

  /** Lets go of what the backend holds open. */
  async close(): Promise<void> {
    await this.#context.backend.close?.()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  get #store(): ArtifactStore {
    return this.#context.backend.artifacts
  }

  /** Files outside the store are inputs mounted on this machine: resolved here, in the client, and never by a store. */
  #storeOf(id: Urn): ArtifactStore {
    if (pathOfFileUrn(id) === undefined || this.#store.owns?.(id)) return this.#store
    const { mountedFiles } = files
    if (mountedFiles !== undefined) return mountedFiles
    throw new IvcapError(
      'unsupported',
      `${id} is a file, and there are no files here: pass its content instead`,
      { resource: id },
    )
  }
}
