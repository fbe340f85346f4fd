import type { Storage } from '@google-cloud/storage'
import { abortable, type OpOptions } from '@ivcap/core/driver'

/** No token was to be had. */
export class Unauthorized extends Error {
  constructor(cause: unknown) {
    super('no token', { cause })
  }
}

/** Headers that say who asks. The library hears no signal: the wait for a token ends with it all the same. */
export const tokenFor = (client: Storage, url: URL, o: OpOptions): Promise<Record<string, string>> =>
  abortable(headersFor(client, url), o.signal)

async function headersFor({ authClient }: Storage, url: URL): Promise<Record<string, string>> {
  try {
    return { ...(await authClient.getRequestHeaders(url.href)) }
  } catch (error) {
    throw new Unauthorized(error)
  }
}
