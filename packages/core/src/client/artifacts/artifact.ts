import * as files from '#runtime'
import { IvcapError } from '../../model/errors.js'
import { emit, type IvcapEvent } from '../../model/events.js'
import type { JsonInput } from '../../model/json.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import type { ArtifactRecord, ArtifactStatus } from '../../model/records.js'
import { type OutputOf, type StandardSchema, validated } from '../../model/standard-schema.js'
import { parseUri, show, type Urn } from '../../model/urn.js'
import type {
  ArtifactContent,
  ArtifactStore,
  ByteRange,
  OpOptions,
  TransferOptions,
} from '../../ports/index.js'
import { chunkMemory } from '../../streams/chunk-memory.js'
import { checkRange } from '../../streams/range.js'
import { type VerifiedBodyOptions, verifiedBody } from '../../transfer/download.js'
import { Aspect } from '../aspects/aspect.js'
import {
  ASSERT_OPTIONS,
  type AssertOptions,
  aspectQuery,
  type ListAspectsOptions,
  METADATA_OPTIONS,
} from '../aspects/aspect-input.js'
import { type AspectType, isAspectType, type TypedAspect, typedAspect } from '../aspects/aspect-type.js'
import { listAspects } from '../aspects/aspects.js'
import type { Context } from '../context.js'
import { dateOf, Handle, type Summary } from '../handle.js'
import type { Provenance } from '../lineage/provenance.js'
import type { Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, named, perform } from '../operation.js'
import { type ByteStream, byteStream, collect, tooLarge } from './byte-stream.js'
import { type LocalFile, localFile } from './local-file.js'
import {
  assertAll,
  draftsOf,
  GET_METADATA_OPTIONS,
  type GetMetadataOptions,
  type MetadataInput,
  metadataInput,
} from './metadata.js'

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  /** Receives the number of bytes read so far, and the total. */
  readonly onProgress?: ((read: number, total?: number) => void) | undefined
  /** Attempts after the first one, to resume a broken download. @default 5 */
  readonly retries?: number | undefined
  /** Milliseconds before the first retry; grows exponentially, with jitter. @default 500 */
  readonly retryDelay?: number | undefined
}

const READ_OPTIONS: OptionNames<ReadOptions> = {
  signal: true,
  onProgress: true,
  retries: true,
  retryDelay: true,
}

export interface StreamOptions extends ReadOptions {
  /** Bytes from `start` (inclusive) to `end` (exclusive). */
  readonly range?: ByteRange | undefined
}

const STREAM_OPTIONS: OptionNames<StreamOptions> = { range: true, ...READ_OPTIONS }

/** Shared by all copies of this package in a process (ESM, CJS, duplicates), where `instanceof` would fail. */
const brand = Symbol.for('@ivcap/core/Artifact')

/** A handle on one artifact: its record, its content and its metadata. */
export class Artifact extends Handle<ArtifactRecord> {
  readonly #store: ArtifactStore
  readonly [brand] = true

  /** @internal Created by the client. */
  constructor(context: Context, store: ArtifactStore, record: ArtifactRecord, complete: boolean) {
    super(context, record, complete)
    this.#store = store
  }

  /** `urn:ivcap:artifact:<uuid>`, or `urn:file:///abs/path` in local mode. */
  get id(): Urn {
    return this.record.id
  }
  get name(): string | undefined {
    return this.record.name
  }
  get status(): ArtifactStatus {
    return this.record.status
  }
  /** In bytes. */
  get size(): number | undefined {
    return this.record.size
  }
  get mimeType(): string | undefined {
    return this.record.mimeType
  }
  get etag(): string | undefined {
    return this.record.etag
  }
  get createdAt(): Date | undefined {
    return dateOf(this.record.createdAt)
  }
  get lastModifiedAt(): Date | undefined {
    return dateOf(this.record.lastModifiedAt)
  }
  get policy(): Urn | undefined {
    return this.record.policy
  }
  get account(): string | undefined {
    return this.record.account
  }
  /** 64 hex digits, if the store recorded a digest. Every read of the whole content is verified against it. */
  get sha256(): string | undefined {
    return this.record.sha256
  }
  /**
   * The content as a stream. Nothing is requested before the first read. A broken connection is resumed where it broke. A read of
   * the whole content is verified by size, and by digest if one is known, before its last bytes are delivered.
   */
  asStream(o: StreamOptions = {}): ByteStream {
    checkOptions(o, STREAM_OPTIONS, 'asStream')
    if (o.range !== undefined) checkRange(o.range)
    return this.#stream('asStream', o)
  }

  /**
   * The content as a file (Node).
   *
   * With `path`: writes a temporary file beside it, verifies it, then renames it, so that `path` never holds partial content.
   * Missing parent folders are created. The caller owns the file. It gets the permissions of the file that it replaces, else those
   * that the umask leaves.
   *
   * Without `path`: returns a temporary file, which `dispose()` or `await using` removes. If the content already is a file on this
   * disk (local mode), returns that file, which is never removed.
   */
  async asLocalFile(path?: string, o: ReadOptions = {}): Promise<LocalFile> {
    checkOptions(o, READ_OPTIONS, 'asLocalFile')
    if (path !== undefined) files.checkFilePath(path, 'path')
    return perform(this.context, 'asLocalFile', { signal: o.signal }, async (op) => {
      const existing = await this.#store.localPath?.(this.id)
      if (existing !== undefined && (path === undefined || files.samePath(path, existing)))
        return localFile(existing)
      const onProgress = forwards(o.onProgress)
      if (path !== undefined && existing !== undefined) {
        const copy = () => this.#copy(existing, path, { ...op, ...(onProgress && { onProgress }) })
        const copied = await files.withOpenFiles(copy, op)
        if (copied !== undefined) return localFile(copied)
      }
      return files.withOpenFiles(async () => {
        const memory = chunkMemory()
        const body = this.#stream('asLocalFile', { ...o, onProgress }, { ...op, parallel: true, memory })
        if (path !== undefined) return localFile(await files.saveAs(path, body, { ...op, memory }))
        const temporary = await files.tempFile(this.name ?? this.id, body, { ...op, memory })
        return localFile(temporary.path, temporary.remove)
      }, op)
    })
  }

  /** Reads the whole content into memory. The Blob has the artifact's MIME type. */
  async blob(o: ReadOptions = {}): Promise<Blob> {
    return new Blob([await this.bytes(o)], { type: this.mimeType ?? 'application/octet-stream' })
  }

  /** Alias of `blob()`. */
  open(o: ReadOptions = {}): Promise<Blob> {
    return this.blob(o)
  }

  /** Reads the whole content into memory. */
  async bytes(o: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions(o, READ_OPTIONS, 'bytes')
    let size: number | undefined
    const onContent = ({ range }: Pick<ArtifactContent, 'range'>) => {
      size = range.end
    }
    return collect(this.#stream('bytes', o, { onContent }), () => size)
  }

  /** Reads the whole content as UTF-8 text. */
  async text(o: ReadOptions = {}): Promise<string> {
    const bytes = await this.bytes(o)
    try {
      return new TextDecoder().decode(bytes)
    } catch (cause) {
      throw named(tooLarge(bytes.byteLength, cause), 'text')
    }
  }

  /** Reads the whole content as JSON, validated by any Standard Schema. @throws IvcapError `integrity`, with `issues` */
  async json<S extends StandardSchema>(schema: S, o?: ReadOptions): Promise<OutputOf<S>>
  /** Reads the whole content as JSON, without validation. @throws IvcapError `protocol` if it is not JSON */
  async json(o?: ReadOptions): Promise<unknown>
  async json(first: StandardSchema | ReadOptions = {}, second: ReadOptions = {}): Promise<unknown> {
    if (!('~standard' in first)) return this.#json(first)
    const schema = first
    const value = await this.#json(second)
    const what = `the content of ${this.id}`
    return perform(this.context, 'json', {}, () =>
      validated(schema, value, { code: 'integrity', what, resource: this.id }),
    )
  }

  async #json(o: ReadOptions): Promise<unknown> {
    const text = await this.text(o)
    try {
      return JSON.parse(text)
    } catch (cause) {
      const message = `json: the content of ${this.id} (${this.mimeType}) is not JSON: ${show(text.slice(0, 60))}`
      throw new IvcapError('protocol', message, { operation: 'json', resource: this.id, cause })
    }
  }

  /** Lists the aspects of this artifact. Returns all of them unless `limit` is given. */
  metadata(o: Omit<ListAspectsOptions, 'entity'> = {}): Listing<Aspect> {
    const checked = checkOptions(o, METADATA_OPTIONS, 'metadata')
    const all = { limit: Number.POSITIVE_INFINITY, ...checked, entity: this.id }
    return listAspects(this.context, 'metadata', all)
  }

  /** The newest aspect of this type, with validated content; undefined if none exists. @throws IvcapError `integrity` */
  async getMetadata<T>(
    type: AspectType<unknown, T>,
    o?: GetMetadataOptions,
  ): Promise<TypedAspect<T> | undefined>
  /** The newest aspect of this schema; undefined if none exists. */
  async getMetadata(schema: string, o?: GetMetadataOptions): Promise<Aspect | undefined>
  async getMetadata(type: string | AspectType, o: GetMetadataOptions = {}): Promise<Aspect | undefined> {
    return this.call('getMetadata', o, GET_METADATA_OPTIONS, async (op, { atTime }) => {
      const schema = isAspectType(type) ? type.schema : parseUri(type, 'schema')
      const query = aspectQuery({ entity: this.id, schema, atTime, limit: 1 })
      const [record] = (await this.context.backend.aspects.list(query, op)).items
      if (record === undefined) return undefined
      return isAspectType(type)
        ? typedAspect(this.context, type, record)
        : new Aspect(this.context, record, false)
    })
  }

  /** Adds one or several aspects to this artifact; existing ones stay in force. Returns this artifact. */
  async addMetadata(contents: JsonInput | readonly JsonInput[], o?: AssertOptions): Promise<this>
  /** Adds an aspect of this type. @throws IvcapError `invalid-argument`, with `issues`, if the value does not match the type */
  async addMetadata<I>(type: AspectType<I>, value: NoInfer<I>, o?: AssertOptions): Promise<this>
  async addMetadata(first: unknown, second?: unknown, third?: unknown): Promise<this> {
    return this.#assert('addMetadata', 'add', metadataInput(first, second, third))
  }

  /** As `addMetadata`, but replaces the aspects of the same schema. */
  async updateMetadata(contents: JsonInput | readonly JsonInput[], o?: AssertOptions): Promise<this>
  async updateMetadata<I>(type: AspectType<I>, value: NoInfer<I>, o?: AssertOptions): Promise<this>
  async updateMetadata(first: unknown, second?: unknown, third?: unknown): Promise<this> {
    return this.#assert('updateMetadata', 'replace', metadataInput(first, second, third))
  }

  /** The jobs that produced and used the artifact, and the record of its upload. */
  async provenance(o: CallOptions = {}): Promise<Provenance> {
    const checked = checkOptions(o, CALL_OPTIONS, 'provenance')
    const { provenanceOf } = await import('../lineage/provenance.js')
    return provenanceOf(this.id, (schema, op) => this.metadata({ ...op, schema }), checked)
  }

  toJSON(): ArtifactRecord {
    return this.record
  }

  protected fetch(op: OpOptions): Promise<ArtifactRecord> {
    return this.#store.stat(this.id, op)
  }

  protected summary(): Summary {
    const { id, name, status, size, mimeType } = this
    return { kind: 'Artifact', label: name, fields: { id, name, status, size, mimeType } }
  }

  #assert(operation: string, mode: 'add' | 'replace', input: MetadataInput): Promise<this> {
    return this.call(operation, input.o, ASSERT_OPTIONS, async (op, checked) => {
      await assertAll(this.context, await draftsOf(this.id, input, checked), mode, op)
      return this
    })
  }

  /** Copies a file on this disk. Returns undefined if it differs from its record; the caller must then read and verify it. */
  async #copy(
    from: string,
    to: string,
    o: OpOptions & Pick<TransferOptions, 'onProgress'>,
  ): Promise<string | undefined> {
    const record = await this.#store.stat(this.id, o)
    const { size, sha256 } = record
    if (size === undefined) return undefined
    const copied = await files.copyAs(to, from, { ...o, size, ...(sha256 !== undefined && { sha256 }) })
    if (copied !== undefined) this.#update(record)
    return copied
  }

  #stream(
    operation: string,
    { signal, range, onProgress, retries = 5, retryDelay = 500 }: StreamOptions,
    { onContent, ...way }: Omit<Partial<VerifiedBodyOptions>, 'range' | 'onProgress'> = {},
  ): ByteStream {
    const { onEvent } = this.context
    const options: VerifiedBodyOptions = {
      retries,
      retryDelay,
      ...(onEvent && { onEvent: (event: IvcapEvent) => emit({ operation, ...event }, onEvent) }),
      ...(signal && { signal }),
      ...way,
      ...(range && { range }),
      ...(onProgress && { onProgress }),
      onContent: (content) => {
        this.#update(content.record)
        onContent?.(content)
      },
    }
    return byteStream(operation, verifiedBody(this.#store, this.id, options), signal)
  }

  /** Stores the record that came with the content, which is newer than that of this handle. */
  #update(record: ArtifactRecord): void {
    const { etag, sha256 } = this.record
    const isSame = etag !== undefined && etag === record.etag
    this.learn(isSame && sha256 !== undefined ? { sha256, ...record } : record)
  }
}

/** Reports only increases: a second transfer that replaces a failed one starts again from 0. */
function forwards(onProgress: ReadOptions['onProgress']): ReadOptions['onProgress'] {
  let furthest = -1
  return (
    onProgress &&
    ((read, total) => {
      if (read <= furthest) return
      furthest = read
      onProgress(read, total)
    })
  )
}

/** Whether `x` is an Artifact. Works across copies of the package. */
export function isArtifact(x: unknown): x is Artifact {
  return typeof x === 'object' && x !== null && brand in x
}
