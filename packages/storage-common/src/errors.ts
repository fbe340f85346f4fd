import { IvcapError, isIvcapError, omitUndefined } from '@ivcap/core/driver'
import { connectionFault } from '@ivcap/core/internal'
import type { BucketDriver, ErrorContext, ErrorMapping } from './driver.js'

export const BUSY: ErrorMapping = {
  code: 'rate-limited',
  why: 'the server is busy and asks to slow down: send fewer requests at once, or try again later',
}
export const FAILED: ErrorMapping = {
  code: 'unavailable',
  why: 'the server failed: try again',
  retryable: true,
}
export const MISSING: ErrorMapping = { code: 'not-found', why: 'there is no such blob' }
export const CHANGED: ErrorMapping = {
  code: 'precondition-failed',
  why: 'it is not what it was expected to be',
}
export const NOT_IMPLEMENTED: ErrorMapping = {
  code: 'unsupported',
  why: 'the server does not implement what this needs: use a server that does',
}
/** Nothing was stored. */
export const ALTERED: ErrorMapping = {
  code: 'integrity',
  why: 'bytes changed on their way to the server: upload it again',
  retryable: true,
}
export const INVALID_BUCKET_NAME: ErrorMapping = {
  code: 'invalid-argument',
  why: 'no bucket can have this name: check it',
  argument: 'bucket',
}

/** @param condition the protocol's name of the condition */
export const unconditional = (condition: string): ErrorMapping => ({
  code: 'unsupported',
  why: `the server does not support conditional writes (${condition}), by which exactly one of several writers succeeds: use a server that does, such as the vendor's own or a newer version of this one`,
})

/** Not `not-found`, because that code means that a blob is missing. */
export const missingBucket = (remedy: string): ErrorMapping => ({
  code: 'invalid-argument',
  why: `there is no such bucket: ${remedy}`,
  argument: 'bucket',
})

/** The meaning of a status in every protocol; undefined if it depends on the protocol. */
export function statusMapping(status: number): ErrorMapping | undefined {
  if (status === 404) return MISSING
  if (status === 408 || status === 409) return FAILED
  if (status === 412) return CHANGED
  if (status === 429 || status === 503) return BUSY
  if (status === 501) return NOT_IMPLEMENTED
  return status >= 500 ? FAILED : undefined
}

/** The meaning of a missing response; undefined for any other error. @param check what the user should check */
export function connectionMapping(error: unknown, check: string): ErrorMapping | undefined {
  const fault = connectionFault(error)
  return fault && { ...fault, why: `${fault.why}: ${check}` }
}

/** Errors of requests that the server never received. */
const unsent = new WeakSet<IvcapError>()

/** @param place the store's URI, including its prefix */
export function toIvcapError(
  error: unknown,
  context: ErrorContext,
  driver: BucketDriver,
  place: string,
): IvcapError {
  if (isIvcapError(error)) return error
  const { code, why, argument, retryable, said, status, retryAfter, cause, ...mapping } = driver.classify(
    error,
    context,
  )
  const { operation, key } = context
  const subject = key === undefined ? operation : `${operation} ${key}`
  const needed = code === 'permission-denied' ? permissionNeeded(context, driver) : ''
  const quoted = said === undefined ? '' : ` [${said}]`
  const mapped = new IvcapError(
    code,
    `can't ${subject} in ${place} (${driver.server}): ${why}${needed}${quoted}`,
    omitUndefined({ resource: key ?? place, argument, retryable, status, retryAfter, cause }),
  )
  if (mapping.unsent) unsent.add(mapped)
  return mapped
}

/** Without permission to list, servers respond to a read of an absent key as if the read were not allowed. */
function permissionNeeded({ permission }: ErrorContext, { permissions }: BucketDriver): string {
  if (permission === undefined) return ''
  const needed = `; it needs the permission ${permissions[permission]}`
  if (permission !== 'read') return needed
  return `${needed}, and ${permissions.list}, without which the server says the same of an absent key`
}

/** True if a request may have been carried out although it failed. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (!isIvcapError(error)) return true
  // the error describes only the first of several attempts
  if (error.attempts !== undefined && error.attempts > 1) return true
  return !unsent.has(error) && ['unavailable', 'protocol', 'unknown'].includes(error.code)
}
