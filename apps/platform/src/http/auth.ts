import { createHash, createPublicKey, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { IvcapError, isJsonObject } from '@ivcap/core/driver'
import { createLocalJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { header } from './exchange.js'

/**
 * Who is let in: those with this very bearer `token`; or those whose token is a JWT signed with `jwtKey`, the text of a
 * public key in PEM, of a JWK or JWK set, or else a shared secret of at least 32 bytes (HS256, HS384, HS512).
 */
export type Auth = { readonly token: string } | { readonly jwtKey: string }

/** @throws IvcapError `unauthenticated` */
export type Guard = (req: IncomingMessage) => Promise<void>

const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const SYMMETRIC = ['HS256', 'HS384', 'HS512']
const MIN_SECRET = 32

/** @throws IvcapError `invalid-argument` for a key or token that can't serve */
export function guardOf(auth: Auth | undefined): Guard {
  if (auth === undefined) return async () => {}
  if ('token' in auth) return staticGuard(auth.token)
  return jwtGuard(auth.jwtKey)
}

function staticGuard(token: string): Guard {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new IvcapError('invalid-argument', 'token must be printable ASCII without blanks', {
      argument: 'token',
    })
  }
  const expected = digest(token)
  return async (req) => {
    // digests have one length, and comparing them takes one time
    if (!timingSafeEqual(digest(bearerOf(req)), expected)) throw refused('the token is not the right one')
  }
}

function jwtGuard(jwtKey: string): Guard {
  const verify = verifierOf(jwtKey)
  return async (req) => {
    try {
      await verify(bearerOf(req))
    } catch (cause) {
      if (cause instanceof IvcapError) throw cause
      const why = cause instanceof Error ? cause.message : 'it is not valid'
      throw refused(`the token is no JWT that this server trusts (${why})`, cause)
    }
  }
}

function verifierOf(jwtKey: string): (token: string) => Promise<unknown> {
  const text = jwtKey.trim()
  try {
    if (text.startsWith('-----BEGIN')) {
      const key = createPublicKey(text)
      return (token) => jwtVerify(token, key, { algorithms: ASYMMETRIC })
    }
    if (text.startsWith('{')) {
      const keys: JWTVerifyGetKey = jwksOf(JSON.parse(text))
      return (token) => jwtVerify(token, keys, { algorithms: ASYMMETRIC })
    }
  } catch (cause) {
    throw new IvcapError('invalid-argument', 'jwtKey is neither a public key in PEM nor a JWK (set)', {
      argument: 'jwtKey',
      cause,
    })
  }
  const secret = new TextEncoder().encode(text)
  if (secret.byteLength < MIN_SECRET) {
    const message = `jwtKey is a shared secret of ${secret.byteLength} bytes: it needs at least ${MIN_SECRET}`
    throw new IvcapError('invalid-argument', message, { argument: 'jwtKey' })
  }
  return (token) => jwtVerify(token, secret, { algorithms: SYMMETRIC })
}

function jwksOf(json: unknown): JWTVerifyGetKey {
  const keys = isJsonObject(json) && Array.isArray(json['keys']) ? json['keys'] : [json]
  return createLocalJWKSet({ keys })
}

function bearerOf(req: IncomingMessage): string {
  const token = /^Bearer +([\x21-\x7e]+)$/i.exec(header(req, 'authorization') ?? '')?.[1]
  if (token === undefined) throw refused('send a header Authorization: Bearer <token>')
  return token
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function refused(message: string, cause?: unknown): IvcapError {
  return new IvcapError('unauthenticated', message, { cause })
}
