import { createSha256 } from '#sha256'
import { isIvcapError } from '../../model/errors.js'
import type { Problem } from '../../model/problems.js'
import type { ArtifactRecord } from '../../model/records.js'
import type { OpOptions } from '../../ports/index.js'
import { ARTIFACT_SCHEMAS } from '../../rules/provenance.js'
import { findBytes } from '../artifacts/bytes.js'
import type { ArtifactLocator } from '../artifacts/read.js'
import { recordIn } from '../artifacts/record.js'
import type { Engine } from '../context.js'
import type { LocatedRecord } from './records.js'

const SCHEMAS: ReadonlySet<string> = new Set(ARTIFACT_SCHEMAS)

/** Compares the bytes of an artifact with its record, if the aspect is one. Reads the bytes only if `digests` is set. */
export async function examineContent(
  engine: Engine,
  artifactKey: ArtifactLocator['artifactKey'],
  { record: aspect }: LocatedRecord,
  digests: boolean,
  o: OpOptions,
): Promise<readonly Problem[]> {
  if (!SCHEMAS.has(aspect.schema)) return []
  const record = recordIn(aspect)
  if (record === undefined) {
    const message = `${aspect.id} of ${aspect.entity} does not describe an artifact`
    return [{ kind: 'unreadable-record', resource: aspect.id, message, repairable: false }]
  }
  const problem = await contentProblem(engine, artifactKey, record, digests, o)
  return problem === undefined ? [] : [{ ...problem, resource: record.id, repairable: false }]
}

async function contentProblem(
  { blobs }: Engine,
  artifactKey: ArtifactLocator['artifactKey'],
  { id, status, size, sha256 }: ArtifactRecord,
  digests: boolean,
  o: OpOptions,
): Promise<Pick<Problem, 'kind' | 'message'> | undefined> {
  const key = artifactKey({ id })
  if (key === undefined || status !== 'ready') return undefined
  const there = await findBytes(blobs, key, o)
  const gone = {
    kind: 'missing-content',
    message: `${id} has a record, but its bytes are not at ${key}`,
  } as const
  if (there === undefined) return gone
  if (size !== undefined && there.size !== size)
    return {
      kind: 'wrong-size',
      message: `${id} has ${size} bytes by its record, and there are ${there.size} at ${key}`,
    }
  if (!digests || sha256 === undefined) return undefined
  try {
    const digest = await digestOf(blobs, key, o)
    if (digest === sha256) return undefined
    return {
      kind: 'wrong-digest',
      message: `${id} has the SHA-256 ${sha256} by its record, and ${digest} at ${key}`,
    }
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return gone
    throw error
  }
}

async function digestOf(blobs: Engine['blobs'], key: string, o: OpOptions): Promise<string> {
  const { body } = await blobs.get(key, o)
  const hash = createSha256()
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return hash.digest()
    hash.update(value)
  }
}
