import * as files from '#runtime'
import { IvcapError } from '../../model/errors.js'
import { checkOptions } from '../../model/options.js'
import { parseArtifactId, pathOfFileUrn, type Urn } from '../../model/urn.js'
import type { ArtifactStore } from '../../ports/index.js'
import { checkText } from '../arguments.js'
import type { Context } from '../context.js'
import { idOf, type Reference } from '../handle.js'
import { LIST_OPTIONS, type Listing, type ListOptions, listRecordsBy } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'
import { Artifact } from './artifact.js'
import { checkUpload, recallFile, UPLOAD_OPTIONS, type UploadOptions, upload } from './upload.js'

/** Newest first by default. */
export type ListArtifactsOptions = ListOptions

export async function uploadArtifact(
  context: Context,
  memory: files.UploadMemory,
  o: UploadOptions,
): Promise<Artifact> {
  const store = context.backend.artifacts
  return call(context, 'uploadArtifact', o, UPLOAD_OPTIONS, async (op, checked) => {
    const record = await upload(store, memory, await checkUpload(checked), op)
    return new Artifact(context, store, record, true)
  })
}

export async function artifactForFile(
  context: Context,
  memory: files.UploadMemory,
  filePath: string,
  o: CallOptions,
): Promise<Artifact | undefined> {
  const store = context.backend.artifacts
  return call(context, 'artifactForFile', o, CALL_OPTIONS, async (op) => {
    const record = await recallFile(store, memory, checkText(filePath, 'filePath'), op)
    return record && new Artifact(context, store, record, true)
  })
}

export async function getArtifact(context: Context, id: Reference, o: CallOptions): Promise<Artifact> {
  return call(context, 'getArtifact', o, CALL_OPTIONS, async (op) => {
    const urn = parseArtifactId(idOf(id), 'id')
    const store = storeOf(context, urn)
    return new Artifact(context, store, await store.stat(urn, op), true)
  })
}

export function listArtifacts(context: Context, o: ListArtifactsOptions): Listing<Artifact> {
  const store = context.backend.artifacts
  return listRecordsBy(
    context,
    'listArtifacts',
    checkOptions(o, LIST_OPTIONS, 'listArtifacts'),
    (query, op) => store.list(query, op),
    (record) => new Artifact(context, store, record, false),
  )
}

/** Files outside the store are inputs mounted on this machine. Only the client resolves them; a store must never do so. */
function storeOf(context: Context, id: Urn): ArtifactStore {
  const store = context.backend.artifacts
  if (pathOfFileUrn(id) === undefined || store.contains?.(id)) return store
  const mounted = files.mountedFiles
  if (mounted !== undefined) return mounted
  throw new IvcapError(
    'unsupported',
    `${id} is a file, and there are no files here: pass its content instead`,
    { resource: id },
  )
}
