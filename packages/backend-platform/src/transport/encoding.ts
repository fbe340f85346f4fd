/** Codings that a transport undoes. zstd is not among them: this version of Node has no decoder for it. */
const KNOWN: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br'])

/** What a body went through, in the order in which the codings were applied; names in lower case, without `identity`. */
export function codingsOf(headers: Headers): readonly string[] {
  const names = (headers.get('content-encoding') ?? '').split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

/** The first coding of a body that nothing here can undo. */
export const unknownCoding = (headers: Headers): string | undefined =>
  codingsOf(headers).find((coding) => !KNOWN.has(coding))
