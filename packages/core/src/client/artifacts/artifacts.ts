import * as files from '#runtime'
import { IvcapError } from '../../model/errors.js'
import { parseArtifactId, pathOfFileUrn, type Urn } from '../../model/urn.js'
import type { ArtifactStore } from '../../ports/index.js'
import { checkText } from '../aspects/aspect-input.js'
import type { Context } from '../context.js'
import { type ListOptions, listQuery } from '../list-options.js'
import { checkLimit, type Listing } from '../listing.js'
import { type CallOptions, perform } from '../operation.js'
import { listingOf } from '../pages.js'
import { idOf, type Reference } from '../reference.js'
import { Artifact } from './artifact.js'
import { checkUpload, recallFile, type UploadOptions, upload } from './upload.js'

/** Newest first unless told otherwise. */
export type ListArtifactsOptions = ListOptions

export async function uploadArtifact(
  context: Context,
  memory: files.UploadMemory,
  o: UploadOptions,
): Promise<Artifact> {
  const store = context.backend.artifacts
  return perform(context, 'uploadArtifact', o, async (op) => {
    const record = await upload(store, memory, checkUpload(o), op)
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
  return perform(context, 'artifactForFile', o, async (op) => {
    const record = await recallFile(store, memory, checkText(filePath, 'filePath'), op)
    return record && new Artifact(context, store, record, true)
  })
}

export async function getArtifact(context: Context, id: Reference, o: CallOptions): Promise<Artifact> {
  return perform(context, 'getArtifact', o, async (op) => {
    const urn = parseArtifactId(idOf(id), 'id')
    const store = storeOf(context, urn)
    return new Artifact(context, store, await store.stat(urn, op), true)
  })
}

/** Arguments are checked now; nothing is fetched before the first item is asked for. */
export function listArtifacts(context: Context, o: ListArtifactsOptions): Listing<Artifact> {
  const store = context.backend.artifacts
  const query = listQuery(o, true)
  return listingOf(
    context,
    'listArtifacts',
    { ...o, limit: checkLimit(o.limit ?? 10) },
    (page, op) => store.list({ ...query, ...page }, op),
    (record) => new Artifact(context, store, record, false),
  )
}

/** Files outside the store are inputs mounted on this machine: resolved here, in the client, and never by a store. */
function storeOf(context: Context, id: Urn): ArtifactStore {
  const store = context.backend.artifacts
  if (pathOfFileUrn(id) === undefined || store.contains?.(id)) return store
  const { mountedFiles } = files
  if (mountedFiles !== undefined) return mountedFiles
  throw new IvcapError(
    'unsupported',
    `${id} is a file, and there are no files here: pass its content instead`,
    { resource: id },
  )
}
