import type { Storage } from '@google-cloud/storage'
import type { OpOptions } from '@ivcap/core/driver'

/** No token was to be had. */
export class Unauthorized extends Error {
  constructor(cause: unknown) {
    super('no token', { cause })
  }
}

/** Headers that say who asks. */
export const tokenFor = (client: Storage, url: URL, o: OpOptions): Promise<Record<string, string>> =>
  abortable(headersFor(client, url), o)

async function headersFor({ authClient }: Storage, url: URL): Promise<Record<string, string>> {
  try {
    return { ...(await authClient.getRequestHeaders(url.href)) }
  } catch (error) {
    throw new Unauthorized(error)
  }
}

/** Getting a token knows no signal; nobody has to wait for it. */
async function abortable<T>(work: Promise<T>, { signal }: OpOptions): Promise<T> {
  if (signal === undefined) return work
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
