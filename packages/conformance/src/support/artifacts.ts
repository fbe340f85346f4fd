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

/** Uploads `content` as its client does; without a name, as the place names it. */
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

/** The bytes of an artifact, all or those of a range. */
export async function download(
  { artifacts }: Backend,
  id: ArtifactRecord['id'],
  range?: ByteRange,
): Promise<Uint8Array> {
  const { body } = await artifacts.read(id, range === undefined ? {} : { range })
  return collect(body)
}

/** All artifacts, page by page, newest first unless the query says otherwise. */
export function allArtifacts(
  { artifacts }: Backend,
  query: Partial<ArtifactQuery> = {},
): Promise<readonly ArtifactRecord[]> {
  return allOf((cursor) => artifacts.list(artifactQuery({ ...query, ...(cursor && { cursor }) }), {}))
}

export function artifactQuery(query: Partial<ArtifactQuery> = {}): ArtifactQuery {
  return { limit: 50, orderDesc: true, ...query }
}

/** Fails the test for a record that leaves the field out. */
export function told<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new Error(`the record does not tell ${field}`)
  return value
}
