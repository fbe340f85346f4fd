import {
  type ArtifactDraft,
  type ArtifactQuery,
  type ArtifactRecord,
  type Backend,
  type ByteRange,
  contentSource,
  type OpOptions,
  type TransferOptions,
} from '@ivcap/core/driver'
import type { Content } from '@ivcap/core/internal'
import { collect } from './bytes.js'
import { allOf } from './pages.js'
import { transfer } from './transfer.js'

type UploadOptions = Partial<ArtifactDraft> &
  Partial<TransferOptions> &
  OpOptions & { readonly size?: number }

/** Uploads `content` as the client does. Without a name, the backend chooses one. */
export function upload(
  { artifacts }: Backend,
  content: Content,
  { name, mimeType, policy, collection, size, ...o }: UploadOptions = {},
): Promise<ArtifactRecord> {
  const draft: ArtifactDraft = {
    mimeType: mimeType ?? 'application/octet-stream',
    ...(name !== undefined && { name }),
    ...(policy !== undefined && { policy }),
    ...(collection !== undefined && { collection }),
  }
  const source = contentSource(content, size === undefined ? {} : { size })
  return artifacts.create(source, draft, { ...transfer, ...o })
}

/** Returns the bytes of an artifact, or of a range of it. */
export async function download(
  { artifacts }: Backend,
  id: ArtifactRecord['id'],
  range?: ByteRange,
): Promise<Uint8Array> {
  const { body } = await artifacts.read(id, range === undefined ? {} : { range })
  return collect(body)
}

/** Reads all pages of a listing and returns all artifacts, newest first by default. */
export function allArtifacts(
  { artifacts }: Backend,
  query: Partial<ArtifactQuery> = {},
): Promise<readonly ArtifactRecord[]> {
  return allOf((cursor) => artifacts.list(artifactQuery({ ...query, ...(cursor && { cursor }) }), {}))
}

export function artifactQuery(query: Partial<ArtifactQuery> = {}): ArtifactQuery {
  return { limit: 50, orderDesc: true, ...query }
}

/** Returns the value. Fails the test if the record omits the field. */
export function told<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new Error(`the record does not tell ${field}`)
  return value
}
