import type { Transport, TransportRequest, TransportResponse } from './types.js'

const inBrowser = 'window' in globalThis || 'WorkerGlobalScope' in globalThis

/** Sends with fetch. Bodies are sent whole: browsers stream them over HTTP/2 only. */
export function fetchTransport(fetch: typeof globalThis.fetch): Transport {
  return {
    streams: false,
    async send({ method, url, headers, body, signal, follow }) {
      const init = {
        method,
        headers,
        signal,
        redirect: follow ? 'follow' : 'manual',
        cache: 'no-store',
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        ...(body !== undefined && { body: wholeBody(body) }),
      } as const
      return transportResponse(await fetch(url.href, init))
    },
    close() {},
  }
}

/** In Chromium, a typed array takes five times as long as a Blob of it; Node would copy a Blob once more. */
function wholeBody(body: NonNullable<TransportRequest['body']>): string | Uint8Array | Blob {
  if (typeof body === 'string') return body
  if (!(body instanceof Uint8Array)) throw new TypeError('fetch can send whole bodies only')
  return inBrowser ? new Blob([body]) : body
}

function transportResponse(response: Response): TransportResponse {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
  return {
    status: response.status,
    headers: response.headers,
    hidden: response.type === 'opaqueredirect',
    ...(response.redirected && response.url !== '' && { url: new URL(response.url) }),
    next: async () => (await reader?.read())?.value,
    cancel: async () => {
      await reader?.cancel().catch(() => {})
    },
  }
}
