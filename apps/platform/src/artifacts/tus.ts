import type { IncomingHttpHeaders } from 'node:http'
import { type ArtifactRecord, type ArtifactStore, artifactUrn, isIvcapError } from '@ivcap/core/driver'
import { Server } from '@tus/server'
import type { Access } from '../http/access.js'
import { failureOf } from '../http/errors.js'
import { type Exchange, header, sendEmpty } from '../http/exchange.js'
import { uuidOf } from '../ids.js'
import type { UploadFiles } from './upload-files.js'
import type { Uploads } from './uploads.js'

/** How long a request waits for an earlier PATCH of the same upload that is still writing, in ms. */
const DRAIN_MS = 1000

const TUS = { 'Tus-Resumable': '1.0.0' }

/** TUS 1.0.0 for uploads created by `POST /1/artifacts`. */
export class TusUploads {
  readonly #server: Server

  constructor(
    files: UploadFiles,
    private readonly uploads: Uploads,
    private readonly artifacts: ArtifactStore,
    access: Access,
    log: (line: string) => void,
    redact: (message: string) => string,
  ) {
    this.#server = new Server({
      path: '/1/artifacts',
      datastore: files,
      lockDrainTimeout: DRAIN_MS,
      allowedOrigins: (origin) => access.allows(origin),
      getFileIdFromRequest: ({ url }) =>
        uuidOf(decodeURIComponent(new URL(url).pathname.split('/').at(-2) ?? '')),
      onUploadFinish: async (_, { id }) => {
        await uploads.store(id)
        return {}
      },
      onResponseError: (req, error) => {
        if ('status_code' in error) return undefined
        if (!isIvcapError(error)) log(`failed: PATCH ${new URL(req.url).pathname}: ${error.message}`)
        const { status, body } = failureOf(error, undefined, redact)
        return { status_code: status, body: body.message }
      },
    })
  }

  /** Returns the offset of an upload, from which a client resumes it. */
  async head({ req, res, params, origin }: Exchange): Promise<void> {
    const uuid = uuidOf(params['id'])
    if (!(await this.uploads.finish(uuid))) {
      const headers = plain(req.headers)
      const response = await this.#server.handleWeb(
        new Request(origin + req.url, { method: 'HEAD', headers }),
      )
      // 404: a concurrent request has just completed the upload and stored the artifact
      if (response.status !== 404)
        return sendEmpty(res, response.status, Object.fromEntries(response.headers))
    }
    const { size } = await this.#artifact(uuid)
    const length = String(size ?? 0)
    const cache = { 'Cache-Control': 'no-store' }
    sendEmpty(res, 200, { ...TUS, ...cache, 'Upload-Offset': length, 'Upload-Length': length })
  }

  /** Appends bytes. The last byte turns the upload into an artifact. */
  async patch({ req, res, params }: Exchange): Promise<void> {
    const uuid = uuidOf(params['id'])
    if (this.uploads.find(uuid) !== undefined) return this.#server.handle(req, res)
    const length = String((await this.#artifact(uuid)).size ?? 0)
    // a client that lost the response to its last, empty request repeats it
    const isRepeated = header(req, 'content-length') === '0' && header(req, 'upload-offset') === length
    sendEmpty(res, isRepeated ? 204 : 409, { ...TUS, 'Upload-Offset': length })
  }

  /** IVCAP's Python client creates the upload a second time if it does not know the size. */
  async post({ req, res, params, origin }: Exchange): Promise<void> {
    const uuid = uuidOf(params['id'])
    if (this.uploads.find(uuid) === undefined) await this.#artifact(uuid)
    sendEmpty(res, 201, { ...TUS, Location: origin + req.url })
  }

  #artifact(uuid: string): Promise<ArtifactRecord> {
    return this.artifacts.stat(artifactUrn(uuid), {})
  }
}

function plain(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  )
}
