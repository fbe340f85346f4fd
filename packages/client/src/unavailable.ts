import { IvcapError } from '@ivcap/core'

export function unavailable(kind: string): IvcapError {
  const message = `connect: a browser can't reach a ${kind} backend by itself: give the url of a deployment and a token`
  return new IvcapError('unsupported', message, { operation: 'connect' })
}
