/** The content of an upload, in all accepted types. */
import { IvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import type { ByteSource } from '../../ports/index.js'
import { bytesSource } from '../../streams/bytes.js'
import { type ReadableHandle, streamHandle } from '../../streams/handle-stream.js'
import { type Content, contentSource, hasMethod, isBlob } from '../../streams/source.js'

/** An open file, such as Node's `FileHandle`. It is read from its first byte, whatever its position is, and is not closed. */
export interface OpenFile extends Pick<ReadableHandle, 'read'> {
  stat(): Promise<OpenFileStat>
}

interface OpenFileStat {
  readonly size: number
  readonly mtimeMs: number
  isFile(): boolean
}

/** A `Response` must be one whose body was not read yet. */
export type UploadContent = Content | Response | OpenFile

/**
 * @param size bytes, as declared by the caller
 * @throws IvcapError `invalid-argument` for a value that is not content, a response without success, or an open pipe or device
 */
export async function uploadSource(content: UploadContent, size: number | undefined): Promise<ByteSource> {
  if (isResponse(content)) return responseSource(content, size)
  if (isOpenFile(content)) return openFileSource(content, size)
  return contentSource(content, omitUndefined({ size }))
}

/** The MIME type of a Blob or a response, and the name of a File. */
export function describedContent(content: unknown): { readonly type?: string; readonly name?: string } {
  if (isResponse(content)) return omitUndefined({ type: content.headers.get('content-type') ?? undefined })
  if (!isBlob(content)) return {}
  return {
    ...(typeof content.type === 'string' && content.type !== '' && { type: content.type }),
    ...('name' in content && { name: String(content.name) }),
  }
}

function responseSource(response: Response, size: number | undefined): ByteSource {
  const { ok, status, body, headers } = response
  if (!ok) {
    const message = `content is an answer with status ${status}, not what was asked for: look at response.ok first`
    throw invalid(message)
  }
  if (response.bodyUsed) throw invalid('content is an answer whose body was read before: fetch it again')
  // content-length counts the encoded bytes, but the body is decoded
  const length = headers.has('content-encoding') ? null : headers.get('content-length')
  const told = length !== null && /^\d+$/.test(length) ? Number(length) : undefined
  if (body === null) return bytesSource(new Uint8Array())
  return contentSource(body, omitUndefined({ size: size ?? told }))
}

async function openFileSource(file: OpenFile, declared: number | undefined): Promise<ByteSource> {
  const found = await statOf(file)
  if (!found.isFile())
    throw invalid('content is an open pipe or device: give its stream instead, handle.createReadStream()')
  const { size, mtimeMs } = found
  // files in /proc and on some mounts report 0, or the size of a page
  const beyond = await file.read(new Uint8Array(1), 0, 1, size)
  if (beyond.bytesRead > 0) {
    const message = `content is an open file with more than the ${size} bytes that its stat tells: give its stream instead, handle.createReadStream()`
    throw invalid(message)
  }
  if (declared !== undefined && declared !== size) {
    const message = `contentSize is ${declared}, but the open file has ${size} bytes: leave contentSize out for a file`
    throw new IvcapError('invalid-argument', message, { argument: 'contentSize' })
  }
  const unchanged = async () => {
    const now = await statOf(file)
    return now.size === size && now.mtimeMs === mtimeMs
  }
  const reader = (end: number): ReadableHandle => ({
    async read(buffer, offset, length, position) {
      const read = await file.read(buffer, offset, length, position)
      if (position + read.bytesRead >= end && !(await unchanged())) throw changed()
      return read
    },
    // the caller owns the file
    close: async () => {},
  })
  return {
    size,
    replayable: true,
    open({ offset = 0, end = size, signal, retainChunks } = {}) {
      const range = { start: Math.min(offset, size), end: Math.min(end, size) }
      return streamHandle(async () => reader(range.end), { ...range, signal, retainChunks })
    },
    unchanged,
  }
}

async function statOf(file: OpenFile): Promise<OpenFileStat> {
  try {
    return await file.stat()
  } catch (cause) {
    throw new IvcapError('invalid-argument', 'content is a file that is not open any more: open it again', {
      argument: 'content',
      cause,
    })
  }
}

/** Duck-typed, since a response may come from another implementation of fetch. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null || isBlob(value)) return false
  return 'body' in value && 'headers' in value && 'status' in value && 'arrayBuffer' in value
}

/** Duck-typed, since memfs also has open files. */
function isOpenFile(value: unknown): value is OpenFile {
  if (typeof value !== 'object' || value === null || !('fd' in value)) return false
  return hasMethod(value, 'read') && hasMethod(value, 'stat')
}

const changed = (): IvcapError =>
  new IvcapError('integrity', 'the open file changed while it was read: upload it again after the last write')

const invalid = (message: string): IvcapError =>
  new IvcapError('invalid-argument', message, { argument: 'content' })
