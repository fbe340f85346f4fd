import { IvcapError } from '@ivcap/core'

/** The backend that a URL for `connect` selects. */
export type UrlPlace =
  | { readonly kind: 'platform'; readonly url: string }
  | { readonly kind: 'local'; readonly baseDir: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 's3' | 'gcs'; readonly bucket: string; readonly prefix?: string }

const KNOWN = 'https://…, memory:, file:./dir, s3://bucket/prefix or gs://bucket/prefix'

/** @throws IvcapError `invalid-argument` if the URL is not one of `KNOWN`; the message suggests what was probably meant */
export function parsePlace(input: unknown): UrlPlace {
  const url = textOf(input)
  if (url === '')
    throw invalid('url', 'url is empty: name a place, or leave it out for what the environment says')
  if (/^["'`\s]|["'`\s]$/.test(url))
    throw invalid('url', `url has blanks or quotes around it: ${shown(url)}; leave them out`)
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  switch (scheme) {
    case 'http':
    case 'https':
      return { kind: 'platform', url: parseDeployment(url, 'url') }
    case 'memory':
      if (/^memory:(\/\/)?$/i.test(url)) return { kind: 'memory' }
      throw invalid(
        'url',
        `url must be memory: and no more, not ${shown(url)}: each connect() has a memory of its own`,
      )
    case 'file':
      return { kind: 'local', baseDir: folderOf(url) }
    case 's3':
      return { kind: 's3', ...bucketOf(url) }
    case 'gs':
      return { kind: 'gcs', ...bucketOf(url) }
    default:
      throw invalid('url', `url must be ${KNOWN}, not ${shown(url)}${suggestion(url)}`)
  }
}

/** @throws IvcapError `invalid-argument` unless it is an http or https URL without user and password */
export function parseDeployment(url: string, argument: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || !/^https?:\/\//i.test(url)) {
    const message = `${argument} must be a URL such as https://api.example.com, not ${shown(url)}${suggestion(url)}`
    throw invalid(argument, message)
  }
  // the message must not contain them
  if (parsed.username || parsed.password) {
    const message = `${argument} (host ${parsed.host}) has a user name or password in it: use token instead`
    throw invalid(argument, message)
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    const message = `${argument} must end with its path, without query or fragment: ${parsed.origin}${parsed.pathname}`
    throw invalid(argument, message)
  }
  return url
}

/** True if the URL is on this machine: requests to it do not pass a network. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** Returns the folder for `baseDir`, which is a path or a file URL. @throws IvcapError `invalid-argument` */
export function parseBaseDir(input: unknown, operation: string): string {
  const isFileUrl = hasHref(input) && /^file:/i.test(input.href)
  if (isFileUrl) return folderOf(input.href)
  if (typeof input === 'string' && input.trim() !== '' && !input.includes('\0')) {
    if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(input)) return input
    const message = `baseDir is the path of a folder, not a URL: ${shown(input)}; use connect({ url }) for a URL`
    throw invalid('baseDir', message, operation)
  }
  throw invalid('baseDir', `baseDir must be the path of a folder, not ${shown(input)}`, operation)
}

/** Returns the text of a string, or of a URL object of any realm. */
function textOf(input: unknown): string {
  if (typeof input === 'string') return input
  if (hasHref(input)) return input.href
  throw invalid('url', `url must be a string or a URL, not ${shown(input)}; for a folder, give baseDir`)
}

export function hasHref(input: unknown): input is { readonly href: string } {
  return typeof input === 'object' && input !== null && typeof Reflect.get(input, 'href') === 'string'
}

/** `file:///abs/path` (percent-encoded, as URLs are), or `file:./dir` and `file:dir` as written. */
function folderOf(url: string): string {
  const rest = url.slice('file:'.length)
  const path = rest.startsWith('//') ? pathOf(url) : rest
  if (path === '') throw invalid('url', 'url names no folder: file:./dir or file:///abs/dir')
  if (path.includes('\0')) throw invalid('url', `url has a NUL in its path: ${shown(url)}`)
  return path
}

function pathOf(url: string): string {
  const cut = /[?#]/.exec(url)?.[0]
  if (cut !== undefined) {
    const encoded = cut === '?' ? '%3F' : '%23'
    const message = `url has a ${cut}, which ends the path of a URL: write ${encoded} for it, or give the path as baseDir`
    throw invalid('url', `${message}: ${shown(url)}`)
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.host !== '')
    throw invalid('url', `url must be file:./dir or file:///abs/dir, not ${shown(url)}`)
  if (/%2f|%5c/i.test(parsed.pathname))
    throw invalid('url', `url has an encoded slash in a name, which no file system can hold: ${shown(url)}`)
  const path = decoded(parsed.pathname, url)
  return /^\/[a-z]:\//i.test(path) ? path.slice(1) : path
}

function decoded(pathname: string, url: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    const rule =
      'url has a % that no two hexadecimal digits of UTF-8 follow: write %25 for it, or give the path as baseDir'
    throw invalid('url', `${rule}: ${shown(url)}`)
  }
}

function bucketOf(url: string): { bucket: string; prefix?: string } {
  const match = /^\w+:\/\/([^/?#@]+)(?:\/([^?#]*))?$/.exec(url)
  const [, bucket, rest = ''] = match ?? []
  if (bucket === undefined) {
    const rule = 'url must name a bucket, as in s3://bucket/prefix, without user, query or fragment'
    throw invalid('url', `${rule}, not ${shown(url)}`)
  }
  const prefix = rest.replace(/\/+$/, '')
  return { bucket, ...(prefix !== '' && { prefix }) }
}

/** Suggests what was probably meant by a text that is not a valid URL. */
function suggestion(url: string): string {
  // text before an @ may be a password, and must not be repeated
  if (url.includes('@')) return ''
  if (/^[a-z]:[\\/]/i.test(url) || /^\\\\/.test(url))
    return ': for a folder, give it as baseDir, or as file:///C:/folder'
  if (/^(\.{0,2}\/(?!\/)|\.{1,2}$|~)/.test(url)) return ': for a folder, give it as baseDir, or as file:./dir'
  const host = /^(?:\/\/)?((?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*)(?::\d+)?)(\/.*)?$/i.exec(url)
  const [, name = '', path = ''] = host ?? []
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(url)
  if (name === '' || hasScheme || !/[.:]|^localhost$/i.test(name)) return ''
  const meant = `http://${name}${path}`
  if (!URL.canParse(meant)) return ''
  return `: the scheme is missing, did you mean ${isLoopback(meant) ? meant : `https://${name}${path}`}?`
}

/** For messages: shortened, and without parts that may be a password or a signature. */
function shown(value: unknown): string {
  if (typeof value !== 'string') return describe(value)
  const text = value.replace(/^.*@/s, '…@').replace(/([?#]).*$/s, '$1…')
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

export function invalid(argument: string, message: string, operation = 'connect'): IvcapError {
  return new IvcapError('invalid-argument', `${operation}: ${message}`, { operation, argument })
}
