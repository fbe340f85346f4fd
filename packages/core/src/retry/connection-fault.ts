import type { IvcapErrorCode } from '../model/errors.js'

/** The meaning of a request that got no response. */
export interface ConnectionFault {
  readonly code: IvcapErrorCode
  /** Describes the fault, without advice. */
  readonly why: string
  readonly retryable: boolean
  /** Whether it is certain that the server did not receive the request. */
  readonly unsent: boolean
}

/** Node's error codes for certificates: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE =
  /^(CERT_|CRL_|ERR_TLS_CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_|ERROR_IN_CRL_)/

const FAULTS: Readonly<Record<string, Omit<ConnectionFault, 'code'>>> = {
  ENOTFOUND: { why: 'there is no host of that name', retryable: false, unsent: true },
  EAI_AGAIN: { why: 'the name server did not answer', retryable: true, unsent: true },
  ECONNREFUSED: {
    why: 'connection refused: no server listens there',
    retryable: true,
    unsent: true,
  },
  EHOSTUNREACH: { why: 'the host cannot be reached', retryable: true, unsent: true },
  ENETUNREACH: { why: 'the network of the host cannot be reached', retryable: true, unsent: true },
  ETIMEDOUT: { why: 'the server did not answer in time', retryable: true, unsent: false },
  UND_ERR_CONNECT_TIMEOUT: { why: 'the server did not answer in time', retryable: true, unsent: true },
  EPROTO: { why: 'the server does not speak TLS as https requires', retryable: false, unsent: true },
}
const BROKEN = { why: 'the connection broke', retryable: true, unsent: false }
const UNTRUSTED = { why: 'the certificate of the server is not trusted', retryable: false, unsent: true }

/**
 * The meaning of a socket or resolver error; undefined for any other error. Untrusted certificates, unknown hosts and servers
 * without TLS are not retryable: the next attempt would fail in the same way.
 */
export function connectionFault(error: unknown): ConnectionFault | undefined {
  const name = systemCode(error)
  if (name === undefined) return undefined
  if (CERTIFICATE.test(name)) return { code: 'unavailable', ...UNTRUSTED }
  if (/^ERR_SSL_/.test(name)) return { code: 'unavailable', ...(FAULTS['EPROTO'] ?? BROKEN) }
  if (!/^(E[A-Z_]+|UND_ERR_.*|HPE_.*|ERR_.*)$/.test(name)) return undefined
  return { code: 'unavailable', ...(FAULTS[name] ?? BROKEN) }
}

const DEEPEST = 5

/** The system's error code: of the error, of its cause, or of the first of several errors. */
export function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < DEEPEST; depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code
    const [first]: readonly unknown[] = at instanceof AggregateError ? at.errors : []
    at = first ?? ('cause' in at ? at.cause : undefined)
  }
  return undefined
}

/** Milliseconds in a `Retry-After` header, which holds seconds or a date. Undefined if it is absent or malformed. */
export function retryAfterOf(header: string | undefined): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  const at = Date.parse(text)
  return text === '' || Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}
