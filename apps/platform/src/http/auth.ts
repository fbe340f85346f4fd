import { createHash, createPublicKey, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { IvcapError, isJsonObject } from '@ivcap/core/driver'
import { createLocalJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { header } from './exchange.js'

/** Required claims of a JWT. */
interface JwtClaims {
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
  /** Whether a token without an expiry time is accepted. @default false */
  readonly allowNoExpiry?: boolean | undefined
}

/**
 * How requests are authenticated: by a fixed bearer `token`; by a JWT that is verified with `jwtKey`, a public key in PEM or
 * as a JWK or JWK set; or by a JWT that is verified with the shared secret `jwtSecret` of at least 32 bytes (HS256, HS384, HS512).
 */
export type Auth =
  | { readonly token: string }
  | ({ readonly jwtKey: string } & JwtClaims)
  | ({ readonly jwtSecret: string } & JwtClaims)

/** @throws IvcapError `unauthenticated` */
export type Guard = (req: IncomingMessage) => Promise<void>

const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const SYMMETRIC = ['HS256', 'HS384', 'HS512']
const MIN_SECRET = 32

/**
 * @param isJobToken Whether a token belongs to a running job
 * @throws IvcapError `invalid-argument` for an invalid key or token
 */
export function guardOf(auth: Auth | undefined, isJobToken: (token: string) => boolean = () => false): Guard {
  if (auth === undefined) return async () => {}
  const guard = userGuard(auth)
  return async (req) => {
    if (!isJobToken(bearerOf(req))) await guard(req)
  }
}

function userGuard(auth: Auth): Guard {
  if ('token' in auth) return staticGuard(auth.token)
  const verify = 'jwtKey' in auth ? keyVerifier(auth.jwtKey, auth) : secretVerifier(auth.jwtSecret, auth)
  return jwtGuard(verify)
}

function staticGuard(token: string): Guard {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new IvcapError('invalid-argument', 'token must be printable ASCII without blanks', {
      argument: 'token',
    })
  }
  const expected = digest(token)
  return async (req) => {
    // digests have equal lengths, and the comparison takes constant time
    if (!timingSafeEqual(digest(bearerOf(req)), expected)) throw refused('the token is wrong')
  }
}

type Verify = (token: string) => Promise<unknown>

function jwtGuard(verify: Verify): Guard {
  return async (req) => {
    try {
      await verify(bearerOf(req))
    } catch (cause) {
      if (cause instanceof IvcapError) throw cause
      const why = cause instanceof Error ? cause.message : 'it is not valid'
      throw refused(`the token is not a JWT that this server accepts (${why})`, cause)
    }
  }
}

/** A PEM may have text before and after it, as OpenSSL writes it. */
const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/
const KEY_FORMAT = /-----(BEGIN|END)|^\s*\{|^(ssh-|ecdsa-)|"kty"/

function keyVerifier(text: string, claims: JwtClaims): Verify {
  const options = { ...claimOptions(claims), algorithms: ASYMMETRIC }
  try {
    const [pem] = PEM.exec(text) ?? []
    if (pem !== undefined) {
      const key = createPublicKey(pem)
      return (token) => jwtVerify(token, key, options)
    }
    const keys = jwksOf(JSON.parse(text))
    return (token) => jwtVerify(token, keys, options)
  } catch (cause) {
    const message =
      'jwtKey is neither a public key in PEM nor a JWK (set) of public keys; pass a shared secret with --jwt-secret'
    throw new IvcapError('invalid-argument', message, { argument: 'jwtKey', cause })
  }
}

function secretVerifier(text: string, claims: JwtClaims): Verify {
  const secret = new TextEncoder().encode(text.trim())
  const problem = KEY_FORMAT.test(text)
    ? 'is a key, which may be public: pass it with --jwt-key'
    : secret.byteLength < MIN_SECRET
      ? `has ${secret.byteLength} bytes: at least ${MIN_SECRET} are required`
      : undefined
  if (problem !== undefined) {
    throw new IvcapError('invalid-argument', `jwtSecret ${problem}`, { argument: 'jwtSecret' })
  }
  const options = { ...claimOptions(claims), algorithms: SYMMETRIC }
  return (token) => jwtVerify(token, secret, options)
}

const claimOptions = ({ issuer, audience, allowNoExpiry = false }: JwtClaims) => ({
  ...(issuer !== undefined && { issuer }),
  ...(audience !== undefined && { audience }),
  ...(!allowNoExpiry && { requiredClaims: ['exp'] }),
})

/** @throws Error for keys that cannot verify */
function jwksOf(json: unknown): JWTVerifyGetKey {
  const keys: unknown[] = isJsonObject(json) && Array.isArray(json['keys']) ? json['keys'] : [json]
  if (keys.length === 0) throw new Error('the set holds no key')
  for (const key of keys) {
    if (!isJsonObject(key) || !['RSA', 'EC', 'OKP'].includes(String(key['kty']))) {
      throw new Error('a JWK must be a public key: RSA, EC or OKP')
    }
    createPublicKey({ key, format: 'jwk' })
  }
  return createLocalJWKSet({ keys: keys.filter(isJsonObject) })
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
