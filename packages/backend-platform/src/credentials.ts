import { IvcapError } from '@ivcap/core/driver'

/** A JWT, or a function that gives one: asked for each request, and once more after a 401. */
export type Token = string | (() => string | Promise<string>)

/** The token stays in here: nobody else holds it, so that nobody can print it. */
export interface Credentials {
  /** The value of an Authorization header; undefined without a token. @throws IvcapError `unauthenticated` */
  authorization(): Promise<string | undefined>
  /** Whether asking again may give another. */
  readonly renewable: boolean
  /** `text` without any token that was sent: a server may have echoed it. */
  redact(text: string): string
}

/** Tokens that may still come back in an answer: the one before may be under way. */
const REMEMBERED = 4

/** @throws IvcapError `invalid-argument` for a token that can't stand in a header */
export function credentialsOf(token: Token | undefined): Credentials {
  const sent: string[] = []
  const checked = (text: string) => {
    const value = usable(text)
    if (!sent.includes(value)) sent.push(value)
    if (sent.length > REMEMBERED) sent.shift()
    return `Bearer ${value}`
  }
  const redact = (text: string) => sent.reduce((rest, value) => rest.replaceAll(value, '<token>'), text)
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

/** Never repeats the token: a message is no place for it. */
function usable(text: unknown): string {
  const value = typeof text === 'string' ? text.trim() : ''
  if (/^[\x21-\x7e]+$/.test(value)) return value
  const what = value === '' ? 'is empty' : 'has characters that a header can not hold'
  throw new IvcapError('invalid-argument', `token ${what}: give the JWT as it was issued`, {
    argument: 'token',
  })
}
