import * as files from '#runtime'
import { IvcapError, isIvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import type { OptionNames } from '../../model/options.js'
import type { ArtifactRecord } from '../../model/records.js'
import { parsePolicy, parseUrn, show, type Urn } from '../../model/urn.js'
import type {
  ArtifactDraft,
  ArtifactStore,
  ByteSource,
  OpOptions,
  TransferOptions,
} from '../../ports/index.js'
import { withMd5 } from '../../streams/digest.js'
import { checkCount, checkText, ifGiven } from '../arguments.js'
import { idOf, type Reference } from '../handle.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'
import type { UploadContent } from './content.js'

export interface UploadOptions extends CallOptions {
  /** Human-readable name; in local mode the path relative to baseDir. */
  readonly name?: string | undefined
  /** Path of a local file (Node). Exactly one of `filePath` and `content` must be given. */
  readonly filePath?: string | undefined
  /**
   * Bytes, text, a Blob or File, a stream of bytes, a `Response` of fetch, or an open file (Node's FileHandle, which stays open).
   * Exactly one of `filePath` and `content` must be given.
   */
  readonly content?: UploadContent | undefined
  /**
   * MIME type. By default it is derived from `filePath`, the type of the Blob or response, or `name`; a file of unknown type gets
   * `application/octet-stream`. Required if nothing indicates the type.
   */
  readonly contentType?: string | undefined
  /** Bytes, if the source does not know its size (-1: unknown). If the actual size differs, the upload fails and stores nothing. */
  readonly contentSize?: number | undefined
  /** URN or handle of the collection to which the artifact is added. */
  readonly collection?: Reference | undefined
  /** `urn:ivcap:policy:…`: controls who may see the artifact. */
  readonly policy?: string | undefined
  /** Bytes per request, if the backend transfers in parts. @default chosen so that memory stays bounded */
  readonly chunkSize?: number | undefined
  /** Attempts after the first one. @default 5 */
  readonly retries?: number | undefined
  /** Milliseconds before the first retry; grows exponentially, with jitter. @default 500 */
  readonly retryDelay?: number | undefined
  /** Uploads the file even if it was uploaded before (see `.ivcap-<filename>.txt`). @default false */
  readonly forceUpload?: boolean | undefined
  /**
   * Reads and writes a sidecar file `.ivcap-<filename>.txt` beside `filePath`, by which an uploaded file is recognised. `false`
   * disables it: nothing is written into the folder, each call creates a new artifact, and no MD5 is computed (1.7 s of processor
   * time per GiB). @default true
   */
  readonly sidecar?: boolean | undefined
  /** Receives the number of bytes that the backend has accepted so far, and the total if it is known. */
  readonly onProgress?: ((accepted: number, total?: number) => void) | undefined
}

export const UPLOAD_OPTIONS: OptionNames<UploadOptions> = {
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
  ...CALL_OPTIONS,
}

/** An upload whose options have been checked. */
export interface Upload {
  readonly filePath?: string
  readonly content?: UploadContent
  readonly contentSize?: number
  readonly forceUpload: boolean
  readonly sidecar: boolean
  readonly draft: ArtifactDraft
  readonly transfer: TransferOptions
}

/** Validates the options. Reads no content. @throws IvcapError `missing-argument`, `invalid-argument` */
export async function checkUpload(o: UploadOptions): Promise<Upload> {
  const { filePath, content } = o
  if ((filePath === undefined) === (content === undefined)) {
    const given = filePath === undefined ? 'neither is given' : 'both are given'
    const message = `give exactly one of filePath and content; ${given}`
    throw new IvcapError(filePath === undefined ? 'missing-argument' : 'invalid-argument', message, {
      argument: 'filePath',
    })
  }
  return omitUndefined({
    filePath: ifGiven(filePath, 'filePath', checkText),
    content,
    contentSize: o.contentSize === -1 ? undefined : ifGiven(o.contentSize, 'contentSize', checkCount),
    forceUpload: o.forceUpload ?? false,
    sidecar: o.sidecar ?? true,
    draft: omitUndefined({
      name: ifGiven(o.name, 'name', checkText),
      mimeType: await mimeTypeOf(o),
      policy: ifGiven(o.policy, 'policy', parsePolicy),
      collection: ifGiven(o.collection, 'collection', (urn, argument) => parseUrn(idOf(urn), argument)),
    }),
    transfer: omitUndefined({
      chunkSize: ifGiven(o.chunkSize, 'chunkSize', (bytes, argument) => checkCount(bytes, argument, 1)),
      retries: checkCount(o.retries ?? 5, 'retries'),
      retryDelay: checkCount(o.retryDelay ?? 500, 'retryDelay'),
      onProgress: o.onProgress,
    }),
  })
}

/** Returns the artifact of an earlier upload if the file has not changed since; otherwise creates a new artifact. */
export async function upload(
  store: ArtifactStore,
  memory: files.UploadMemory,
  { filePath, content, contentSize, forceUpload, sidecar, draft, transfer }: Upload,
  op: OpOptions,
): Promise<ArtifactRecord> {
  if (filePath === undefined) {
    if (content === undefined)
      throw new IvcapError('missing-argument', 'content is missing', { argument: 'content' })
    const { uploadSource } = await import('./content.js')
    const source = await uploadSource(content, contentSize)
    return store.create(source, draft, { ...transfer, ...op })
  }
  const source = await files.fileSource(filePath, 'filePath', op)
  checkFileSize(filePath, source, contentSize)
  // safe to repeat: a failed upload leaves nothing behind, and a replayable source can be read again
  const create = (file: ByteSource) => {
    const run = () => store.create(file, draft, { ...transfer, ...op })
    return source.replayable ? files.withOpenFiles(run, op) : run()
  }
  if (!store.remembersUploads || !sidecar) return create(source)
  const earlier = forceUpload ? undefined : await recall(store, memory, filePath, source.size, op)
  if (earlier !== undefined) return earlier
  // computes the MD5 during the upload, so that `remember` need not read the file again
  const hashed = withMd5(source)
  try {
    const record = await create(hashed.source)
    // without the MD5, `remember` reads the file again
    const md5 = await hashed.md5().catch(() => undefined)
    await memory.remember(filePath, record.id, omitUndefined({ ...op, md5, source }))
    return record
  } finally {
    hashed.close()
  }
}

/** As `recall`, for a file that was not opened before. */
export async function recallFile(
  store: ArtifactStore,
  memory: files.UploadMemory,
  filePath: string,
  op: OpOptions,
): Promise<ArtifactRecord | undefined> {
  if (!store.remembersUploads) return undefined
  const source = await files.fileSource(filePath, 'filePath', op).catch(() => undefined)
  op.signal?.throwIfAborted()
  return source && (await recall(store, memory, filePath, source.size, op))
}

/**
 * Returns the artifact that the file's sidecar names, if it is ready in this store and still matches the file: the MD5 is equal,
 * and so are the sizes, if both are known.
 */
async function recall(
  store: ArtifactStore,
  memory: files.UploadMemory,
  filePath: string,
  size: number | undefined,
  op: OpOptions,
): Promise<ArtifactRecord | undefined> {
  const id: Urn | undefined = await memory.recall(filePath, op)
  if (id === undefined) return undefined
  try {
    const record = await store.stat(id, op)
    const isSameSize = record.size === undefined || size === undefined || record.size === size
    return record.status === 'ready' && isSameSize ? record : undefined
  } catch (error) {
    // the sidecar belongs to another deployment, or its artifact was deleted
    if (isIvcapError(error, 'not-found') || isIvcapError(error, 'permission-denied')) return undefined
    throw error
  }
}

async function mimeTypeOf({ contentType, filePath, content, name }: UploadOptions): Promise<string> {
  if (contentType !== undefined) return checkMimeType(contentType)
  const { type, name: nameOfFile } =
    content === undefined ? {} : (await import('./content.js')).describedContent(content)
  // the type is foreign input and is sent in a header, so it is checked
  if (type !== undefined && MIME_TYPE.test(type)) return type
  const names = [filePath, nameOfFile, name].filter((n) => n !== undefined)
  // loaded on demand: otherwise this table would be a third of the code that a page loads
  const { mimeOf } = await import('../../streams/mime.js')
  const guess = names.map(mimeOf).find((type) => type !== undefined)
  if (guess !== undefined) return guess
  if (filePath !== undefined || nameOfFile !== undefined) return 'application/octet-stream'
  if (typeof content === 'string') return 'text/plain'
  const message = `contentType is missing, and neither the content nor the name (${show(name)}) tells it: give it, e.g. 'text/csv'`
  throw new IvcapError('missing-argument', message, { argument: 'contentType' })
}

/** RFC 9110: type/subtype and parameters. Control characters are not allowed, since the type is sent in a header. */
const MIME_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?$/

function checkMimeType(contentType: unknown): string {
  if (typeof contentType === 'string' && MIME_TYPE.test(contentType)) return contentType
  const message = `contentType must be a MIME type such as text/csv, not ${show(contentType)}`
  throw new IvcapError('invalid-argument', message, { argument: 'contentType' })
}

function checkFileSize(filePath: string, source: ByteSource, contentSize: number | undefined): void {
  if (contentSize === undefined || source.size === undefined || source.size === contentSize) return
  const message = `contentSize is ${contentSize}, but ${show(filePath)} has ${source.size} bytes: leave contentSize out for a file`
  throw new IvcapError('invalid-argument', message, { argument: 'contentSize' })
}
