import { IvcapError } from '@ivcap/core/driver'

/** A JWT, or a function that returns one. The function is called for each request, and once more after a 401. */
export type Token = string | (() => string | Promise<string>)

/** Encapsulates the token, so that no other code can print it. */
export interface Credentials {
  /** The value of an Authorization header; undefined without a token. @throws IvcapError `unauthenticated` */
  authorization(): Promise<string | undefined>
  /** True if another call of `authorization` may return another token. */
  readonly renewable: boolean
  /** Removes every token that was sent from `text`: a server may have echoed it. */
  redact(text: string): string
}

/** Number of sent tokens that are remembered. A response may still contain a previous one. */
const REMEMBERED = 4

/** @throws IvcapError `invalid-argument` if the token can't be used in a header */
export function createCredentials(token: Token | undefined): Credentials {
  const sent: string[] = []
  const checked = (text: string) => {
    const value = usable(text)
    if (!sent.includes(value)) sent.push(value)
    if (sent.length > REMEMBERED) sent.shift()
    return `Bearer ${value}`
  }
  const redact = (text: string) => sent.reduce((rest, value) => rest.replaceAll(value, '<token>'), text)
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function') {
    const message = `token must be a text or a function that returns one, not a value of type ${token === null ? 'null' : typeof token}`
    throw new IvcapError('invalid-argument', message, { argument: 'token' })
  }
  if (token === undefined) return { authorization: async () => undefined, renewable: false, redact }
  if (typeof token === 'string') {
    const fixed = checked(token)
    return { authorization: async () => fixed, renewable: false, redact }
  }
  return {
    async authorization() {
      return checked(await ask(token))
    },
    renewable: true,
    redact,
  }
}

async function ask(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token()
  } catch (cause) {
    throw new IvcapError('unauthenticated', 'the token function failed: see the cause', { cause })
  }
}

/** @throws IvcapError `invalid-argument`; the message never contains the token */
function usable(text: unknown): string {
  const value = typeof text === 'string' ? text.trim() : ''
  const fault = faultOf(text, value)
  if (fault === undefined) return value
  throw new IvcapError('invalid-argument', `token ${fault}`, { argument: 'token' })
}

function faultOf(text: unknown, value: string): string | undefined {
  if (typeof text !== 'string')
    return `must be a text, not a value of type ${text === null ? 'null' : typeof text}`
  if (value === '') return 'is empty: give the JWT as it was issued, or leave token out'
  if (/^bearer\s/i.test(value)) return 'begins with "Bearer": give the JWT alone, the scheme is added to it'
  if (/^authorization\s*:/i.test(value)) return 'is a whole header: give the JWT alone'
  if (/^(["'`]).*\1$/s.test(value)) return 'has quotes around it: give the JWT alone'
  if (/\s/.test(value))
    return 'has a blank or a line break in it: give the JWT as it was issued, in one piece'
  if (!/^[\x21-\x7e]+$/.test(value))
    return 'has characters that a header can not hold: give the JWT as it was issued'
  return undefined
}
