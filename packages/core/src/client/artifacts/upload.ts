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
import { describedContent, type UploadContent, uploadSource } from './content.js'

export interface UploadOptions extends CallOptions {
  /** Human-readable; in local mode the relative path below baseDir. */
  readonly name?: string | undefined
  /** A local file (Node). Exactly one of `filePath` and `content`. */
  readonly filePath?: string | undefined
  /**
   * Bytes, text, a Blob or File, a stream of bytes, an answer of `fetch`, or an open file (Node's FileHandle, which stays open).
   * Exactly one of `filePath` and `content`.
   */
  readonly content?: UploadContent | undefined
  /**
   * MIME type; guessed from `filePath`, the Blob's or the answer's type, or `name`, else `application/octet-stream` for a file.
   * Required for content that tells nothing.
   */
  readonly contentType?: string | undefined
  /** Bytes, where the source does not know it (-1: unknown). Other than the bytes: an error, nothing becomes ready. */
  readonly contentSize?: number | undefined
  /** URN or handle of the collection that it goes into. */
  readonly collection?: Reference | undefined
  /** `urn:ivcap:policy:…`: who may see it. */
  readonly policy?: string | undefined
  /** Bytes per request, where the place transfers in parts; default: chosen for bounded memory. */
  readonly chunkSize?: number | undefined
  /** Attempts after the first; default 5. */
  readonly retries?: number | undefined
  /** Milliseconds before the first of them; exponential, jittered; default 500. */
  readonly retryDelay?: number | undefined
  /** Upload even if this file was uploaded before (see `.ivcap-<filename>.txt`). */
  readonly forceUpload?: boolean | undefined
  /**
   * Look for, and leave, a `.ivcap-<filename>.txt` beside `filePath`, by which the same file is recognised; default true. Without,
   * the folder stays as it is, each call makes a new artifact, and no MD5 is computed: 1.7 s of processor time a GiB.
   */
  readonly sidecar?: boolean | undefined
  /** Bytes that the other side has accepted so far, and the total where it is known. */
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

/** Reads no content. @throws IvcapError `missing-argument`, `invalid-argument` */
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

/** The artifact that an earlier upload of the same unchanged file left, else a new one. */
export async function upload(
  store: ArtifactStore,
  memory: files.UploadMemory,
  { filePath, content, contentSize, forceUpload, sidecar, draft, transfer }: Upload,
  op: OpOptions,
): Promise<ArtifactRecord> {
  if (filePath === undefined) {
    if (content === undefined)
      throw new IvcapError('missing-argument', 'content is missing', { argument: 'content' })
    const source = await uploadSource(content, contentSize)
    return store.create(source, draft, { ...transfer, ...op })
  }
  const source = await files.fileSource(filePath, 'filePath', op)
  checkFileSize(filePath, source, contentSize)
  // a failed upload leaves nothing, and a file can be read again
  const create = (file: ByteSource) => {
    const run = () => store.create(file, draft, { ...transfer, ...op })
    return source.replayable ? files.withOpenFiles(run, op) : run()
  }
  if (!store.remembersUploads || !sidecar) return create(source)
  const earlier = forceUpload ? undefined : await recall(store, memory, filePath, source.size, op)
  if (earlier !== undefined) return earlier
  // hashed on its way, so that remembering it need not read the file again
  const hashed = withMd5(source)
  try {
    const record = await create(hashed.source)
    // without it the file is read once more
    const md5 = await hashed.md5().catch(() => undefined)
    await memory.remember(filePath, record.id, omitUndefined({ ...op, md5, source }))
    return record
  } finally {
    hashed.close()
  }
}

/** As `recall`, of a file of which nothing is known yet. */
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
 * The ready artifact of this store that the file's sidecar names, if it still tells the truth: the MD5 is that of the file, and
 * the artifact has `size` bytes, as far as both sizes are known.
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
    // a sidecar of another deployment, or of an artifact that is gone
    if (isIvcapError(error, 'not-found') || isIvcapError(error, 'permission-denied')) return undefined
    throw error
  }
}

async function mimeTypeOf({ contentType, filePath, content, name }: UploadOptions): Promise<string> {
  if (contentType !== undefined) return checkMimeType(contentType)
  const { type, name: nameOfFile } = describedContent(content)
  // of others, and it travels in a header
  if (type !== undefined && MIME_TYPE.test(type)) return type
  const names = [filePath, nameOfFile, name].filter((n) => n !== undefined)
  // the table of types is a third of what a page would load otherwise
  const { mimeOf } = await import('../../streams/mime.js')
  const guess = names.map(mimeOf).find((type) => type !== undefined)
  if (guess !== undefined) return guess
  if (filePath !== undefined || nameOfFile !== undefined) return 'application/octet-stream'
  if (typeof content === 'string') return 'text/plain'
  const message = `contentType is missing, and neither the content nor the name (${show(name)}) tells it: give it, e.g. 'text/csv'`
  throw new IvcapError('missing-argument', message, { argument: 'contentType' })
}

/** RFC 9110: type/subtype, and parameters without control characters, since it travels in a header. */
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
