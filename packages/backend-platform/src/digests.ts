import { type AspectStore, type ByteSource, isIvcapError, type OpOptions, type Urn } from '@ivcap/core/driver'
import { createSha256, hashAll, withDigest } from '@ivcap/core/internal'
import * as v from 'valibot'
import type { Logger } from './logger.js'

/** Where a digest is kept, since the platform's own record has no place for one. */
export const DIGEST_SCHEMA = 'urn:ivcap:schema:artifact-digest.1'

const Content = v.object({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) })

interface Digest {
  readonly sha256: string
}

/** Digests of artifacts as aspects of them: each costs a request. */
export interface Digests {
  of(source: ByteSource): {
    readonly source: ByteSource
    /** Keeps the digest of what was uploaded. The artifact is there already: what goes wrong here is only warned of. */
    record(id: Urn, o: OpOptions): Promise<Digest | undefined>
  }
  find(id: Urn, o: OpOptions): Promise<Digest | undefined>
}

export function digestsIn(aspects: AspectStore, logger: Logger): Digests {
  return {
    of(plain) {
      const { source, sha256 } = withDigest(plain)
      return {
        source,
        async record(id, o) {
          try {
            // an upload that was taken up in the middle had only its rest pass here
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
