import { omitUndefined } from '../../model/omit-undefined.js'
import type { JobStatus } from '../../model/services.js'
import { isUrn, type Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { JOB_SCHEMA, jobLinksOf } from '../../rules/job-links.js'
import { ARTIFACT_SCHEMAS, artifactOf, PRODUCED_BY_SCHEMAS, USED_BY_SCHEMAS } from '../../rules/provenance.js'
import { listRecords, recordsWith } from '../aspects/aspects.js'
import type { Context } from '../context.js'

/** What a job read and what it made, as URNs. */
export interface JobArtifacts {
  readonly inputs: readonly Urn[]
  readonly outputs: readonly Urn[]
}

/** A node's neighbours against and along the flow of data, and what else its aspects tell of it. */
export interface NodeLinks {
  readonly upstream: readonly Urn[]
  readonly downstream: readonly Urn[]
  readonly name?: string
  readonly status?: JobStatus
  readonly service?: Urn
}

/** All spellings of the record and of the links begin with one of these: a question each, instead of one for each spelling. */
const OF_ARTIFACTS = ['urn:ivcap:schema.artifact%', 'urn:ivcap:schema:artifact%']

/** @param limit Jobs on either side, at the most */
export async function linksOfArtifact(
  context: Context,
  operation: string,
  id: Urn,
  limit: number,
  op: OpOptions,
): Promise<NodeLinks> {
  const producedBy = new Set<Urn>()
  const usedBy = new Set<Urn>()
  let name: string | undefined
  for (const schema of OF_ARTIFACTS) {
    const query = { ...op, entity: id, schema, limit: Number.POSITIVE_INFINITY }
    for await (const record of listRecords(context, operation, query, (r) => r)) {
      const { content = {} } = record
      const order = content['order']
      if (isOneOf(ARTIFACT_SCHEMAS, record.schema)) name ??= artifactOf(id, content)?.name
      else if (!isUrn(order)) continue
      else if (isOneOf(PRODUCED_BY_SCHEMAS, record.schema)) producedBy.add(order)
      else if (isOneOf(USED_BY_SCHEMAS, record.schema)) usedBy.add(order)
      if (producedBy.size >= limit || usedBy.size >= limit) break
    }
  }
  return { upstream: [...producedBy], downstream: [...usedBy], ...(name !== undefined && { name }) }
}

/**
 * A function's job tells itself, once it has ended, what it read and made. Of others the links are found by what they say: a
 * question of content, for which a place without an index reads all links that it has.
 */
export async function linksOfJob(
  context: Context,
  operation: string,
  job: Urn,
  limit: number,
  op: OpOptions,
): Promise<NodeLinks> {
  const query = { ...op, entity: job, schema: JOB_SCHEMA, limit: 1 }
  const [own] = await listRecords(context, operation, query, (r) => r).toArray()
  const { service, status, artifacts } = jobLinksOf(own?.content)
  const told = omitUndefined({ service, status: artifacts && status })
  if (artifacts !== undefined) return { upstream: artifacts.inputs, downstream: artifacts.outputs, ...told }
  const linked = (schemas: readonly string[]) =>
    artifactsLinkedTo(context, operation, { job, schemas, limit }, op)
  const upstream = await linked(USED_BY_SCHEMAS)
  const downstream = await linked(PRODUCED_BY_SCHEMAS)
  return { upstream, downstream, ...told }
}

async function artifactsLinkedTo(
  context: Context,
  operation: string,
  { job, schemas, limit }: { readonly job: Urn; readonly schemas: readonly string[]; readonly limit: number },
  op: OpOptions,
): Promise<readonly Urn[]> {
  const found = new Set<Urn>()
  for (const schema of schemas) {
    for await (const { entity } of recordsWith(context, operation, ['order', job], { schema }, op)) {
      if (isUrn(entity)) found.add(entity)
      if (found.size >= limit) break
    }
  }
  return [...found]
}

const isOneOf = (schemas: readonly string[], schema: string): boolean => schemas.includes(schema)
