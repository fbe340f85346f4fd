import * as v from 'valibot'
import { omitUndefined } from '../model/omit-undefined.js'
import { ARTIFACT_STATUSES, type ArtifactRecord } from '../model/records.js'
import { OptionalUrn, Size, Text, Time, UrnText } from './fields.js'

/** An artifact in the response of a deployment. */
export interface ArtifactAnswer {
  readonly record: ArtifactRecord
  /** The address of the bytes, as the deployment returns it; a listing omits it. */
  readonly dataHref?: string
}

/** The members of `GET /1/artifacts/{id}` that come from the record. JSON omits undefined ones. */
export const artifactToJson = (record: ArtifactRecord) => ({
  id: record.id,
  name: record.name,
  status: record.status,
  size: record.size,
  'mime-type': record.mimeType,
  etag: record.etag,
  'created-at': record.createdAt,
  'last-modified-at': record.lastModifiedAt,
  policy: record.policy,
  account: record.account,
  'cache-of': record.cacheOf,
})

/** Parses `GET /1/artifacts/{id}`, `POST /1/artifacts`, and the items of a listing, which have fewer members. */
export const artifactFromJson: v.GenericSchema<unknown, ArtifactAnswer> = v.pipe(
  v.object({
    id: UrnText,
    name: Text,
    status: v.fallback(v.picklist(ARTIFACT_STATUSES), 'unknown'),
    size: Size,
    'mime-type': Text,
    etag: Text,
    'created-at': Time,
    'last-modified-at': Time,
    policy: OptionalUrn,
    account: Text,
    'cache-of': Text,
    'data-href': Text,
  }),
  v.transform((json): ArtifactAnswer => {
    const record: ArtifactRecord = omitUndefined({
      id: json.id,
      name: json.name,
      status: json.status,
      size: json.size,
      mimeType: json['mime-type'],
      etag: plainEtag(json.etag),
      createdAt: json['created-at'],
      lastModifiedAt: json['last-modified-at'],
      policy: json.policy,
      account: json.account,
      cacheOf: json['cache-of'],
    })
    return omitUndefined({ record, dataHref: json['data-href'] })
  }),
)

/** RFC 9110, without bytes beyond ASCII, which servers and clients encode differently. */
const ETAG = /^[\x21\x23-\x7e]+$/

/**
 * The opaque characters of an etag, without the quotes of a header. Undefined for a weak etag, which does not identify exact bytes,
 * and for text that is not valid in a header, because it would never equal the etag of a response.
 */
export function plainEtag(etag: string | null | undefined): string | undefined {
  if (etag === null || etag === undefined || etag.startsWith('W/')) return undefined
  const plain = /^".*"$/s.test(etag) ? etag.slice(1, -1) : etag
  return ETAG.test(plain) ? plain : undefined
}
