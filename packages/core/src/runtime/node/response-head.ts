/** The answer to a GET whose body has a known length and stands for itself: what can be read without further ado. */
export interface PlainHead {
  readonly status: 200 | 206
  readonly headers: Headers
  /** Bytes of the body. */
  readonly length: number
}

/** Bytes; node:http takes as many. */
export const LONGEST_HEAD = 16 << 10

const STATUS = /^HTTP\/1\.[01] (200|206)(?: |$)/
/** RFC 9110: a token, and text without control characters but tabs. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
/** Any of these means that the body is not just the next `Content-Length` bytes. */
const OTHERWISE = ['transfer-encoding', 'content-encoding', 'trailer', 'upgrade'] as const

/**
 * Reads the head of an answer, without its empty line. Undefined: it is another answer, or none that this strict reading
 * understands.
 */
export function plainHead(text: string): PlainHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const status = STATUS.exec(first)?.[1] === '206' ? 206 : 200
  const fields = lines.map((line) => FIELD.exec(line))
  if (!STATUS.test(first) || fields.includes(null)) return undefined
  const headers = new Headers()
  for (const field of fields) headers.append(field?.[1] ?? '', field?.[2] ?? '')
  const length = headers.get('content-length') ?? ''
  if (!/^\d{1,15}$/.test(length) || OTHERWISE.some((name) => headers.has(name))) return undefined
  return { status, headers, length: Number(length) }
}
