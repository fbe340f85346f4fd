import { expect } from 'vitest'

/** The JSON of an answer, to look into. */
export async function json(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json()
  expect(body).toBeTypeOf('object')
  return { ...Object(body) }
}

export interface Begun {
  readonly response: Response
  readonly id: string
  /** Where the bytes go, and are had from. */
  readonly href: string
}

/** `POST /1/artifacts`. `size`: bytes, -1 if not known yet. */
export async function begin(
  url: string,
  size: number,
  headers: Record<string, string> = { 'X-Content-Type': 'text/plain' },
): Promise<Begun> {
  const response = await fetch(`${url}/1/artifacts`, {
    method: 'POST',
    headers: { 'X-Content-Length': String(size), 'Tus-Resumable': '1.0.0', ...headers },
  })
  const record = await json(response)
  return { response, id: String(record['id']), href: String(record['data-href']) }
}

/** Sends bytes by TUS. */
export function patch(
  href: string,
  offset: number,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(href, {
    method: 'PATCH',
    body,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': String(offset),
      'Content-Type': 'application/offset+octet-stream',
      ...headers,
    },
  })
}

/** How far an upload is, as TUS clients ask. */
export function progress(href: string): Promise<Response> {
  return fetch(href, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } })
}

/** An artifact, all at once; its id and where its bytes are. */
export async function upload(
  url: string,
  content: string | Uint8Array<ArrayBuffer>,
  headers?: Record<string, string>,
): Promise<Begun> {
  const begun = await begin(url, Buffer.byteLength(content), headers)
  if (content.length > 0) expect((await patch(begun.href, 0, content)).status).toBe(204)
  return begun
}

/** `GET /1/artifacts/{id}`. */
export async function recordOf(url: string, id: string): Promise<Record<string, unknown>> {
  return json(await fetch(`${url}/1/artifacts/${id}`))
}
