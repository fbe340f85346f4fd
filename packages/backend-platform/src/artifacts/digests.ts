import { type AspectStore, type ByteSource, isIvcapError, type OpOptions, type Urn } from '@ivcap/core/driver'
import { createSha256, hashAll, withDigest } from '@ivcap/core/internal'
import * as v from 'valibot'

/** Receives messages. A console can be given. */
export interface Logger {
  debug?(message: string): void
  warn?(message: string): void
}

/** The schema of digests. The platform's own record of an artifact has no field for one. */
export const DIGEST_SCHEMA = 'urn:ivcap:schema:artifact-digest.1'

const Content = v.object({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) })

interface Digest {
  readonly sha256: string
}

/** Digests of artifacts, stored as aspects. Each look-up sends a request. */
export interface Digests {
  of(source: ByteSource): {
    readonly source: ByteSource
    /** Stores the digest of the uploaded bytes. A failure is only logged, because the artifact already exists. */
    record(id: Urn, o: OpOptions): Promise<Digest | undefined>
  }
  find(id: Urn, o: OpOptions): Promise<Digest | undefined>
}

export function aspectDigests(aspects: AspectStore, logger: Logger): Digests {
  return {
    of(plain) {
      const { source, sha256 } = withDigest(plain)
      return {
        source,
        async record(id, o) {
          try {
            // a resumed upload has read only the rest of the source
            const digest = { sha256: sha256() ?? (await hashAll(plain, createSha256(), o.signal)) }
            const content = { $schema: DIGEST_SCHEMA, ...digest }
            await aspects.assert({ entity: id, schema: DIGEST_SCHEMA, content }, 'replace', o)
            return digest
          } catch (error) {
            o.signal?.throwIfAborted()
            if (!isIvcapError(error)) throw error
            logger.warn?.(`ivcap: the digest of ${id} was not recorded: ${error.message}`)
            return undefined
          }
        },
      }
    },
    async find(id, o) {
      const { items } = await aspects.list(
        {
          entity: id,
          schema: DIGEST_SCHEMA,
          orderBy: 'valid_from',
          orderDirection: 'DESC',
          includeContent: true,
          limit: 1,
        },
        o,
      )
      const parsed = v.safeParse(Content, items[0]?.content)
      return parsed.success ? parsed.output : undefined
    },
  }
}
