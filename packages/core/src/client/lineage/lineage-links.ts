import { omitUndefined } from '../../model/omit-undefined.js'
import type { AspectRecord } from '../../model/records.js'
import type { JobStatus } from '../../model/services.js'
import { isUrn, type Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { JOB_SCHEMA, jobLinksOf } from '../../rules/job-links.js'
import { ARTIFACT_SCHEMAS, artifactOf, PRODUCED_BY_SCHEMAS, USED_BY_SCHEMAS } from '../../rules/provenance.js'
import { listRecords, recordsWith } from '../aspects/aspects.js'
import type { Context } from '../context.js'

/** URNs of the artifacts that a job read and produced. */
export interface JobArtifacts {
  readonly inputs: readonly Urn[]
  readonly outputs: readonly Urn[]
}

/** A node's neighbours against and along the flow of data, and other facts from its aspects. */
export interface NodeLinks {
  readonly upstream: readonly Urn[]
  readonly downstream: readonly Urn[]
  readonly name?: string
  readonly status?: JobStatus
  readonly service?: Urn
}

/** All spellings of the record and link schemas begin with one of these, so two queries replace one for each spelling. */
const OF_ARTIFACTS = ['urn:ivcap:schema.artifact%', 'urn:ivcap:schema:artifact%']

/** @param limit maximum number of jobs on either side */
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
  const take = ({ schema, content = {} }: AspectRecord) => {
    const order = content['order']
    if (isOneOf(ARTIFACT_SCHEMAS, schema)) name ??= artifactOf(id, content)?.name
    else if (!isUrn(order)) return
    else if (isOneOf(PRODUCED_BY_SCHEMAS, schema)) producedBy.add(order)
    else if (isOneOf(USED_BY_SCHEMAS, schema)) usedBy.add(order)
  }
  /** Returns false if it stopped because there is enough. */
  const takeAll = async (schema: string, isEnough: () => boolean) => {
    const query = { ...op, entity: id, schema, limit: Number.POSITIVE_INFINITY }
    for await (const record of listRecords(context, operation, query, (r) => r)) {
      take(record)
      if (isEnough()) return false
    }
    return true
  }
  const isFull = () => producedBy.size >= limit || usedBy.size >= limit
  let isWhole = true
  for (const schema of OF_ARTIFACTS) isWhole = isWhole && (await takeAll(schema, isFull))
  // records are listed newest first, so many uses hide how the artifact came about
  if (!isWhole) {
    for (const schema of PRODUCED_BY_SCHEMAS) await takeAll(schema, () => producedBy.size >= limit)
    for (const schema of ARTIFACT_SCHEMAS) await takeAll(schema, () => name !== undefined)
  }
  return { upstream: [...producedBy], downstream: [...usedBy], ...(name !== undefined && { name }) }
}

/**
 * A finished job of a function records the artifacts that it read and produced. For other jobs the links are found by a query on
 * aspect contents; a backend without an index reads all its links for that.
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
