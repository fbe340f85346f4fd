import { type IvcapError, type IvcapErrorCode, isIvcapError } from '@ivcap/core/driver'
import { expect } from 'vitest'

/** Returns the reason with which a promise rejects. Fails the test if the promise resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  return expect.fail(`resolved where it should reject, with ${JSON.stringify(outcome.value)}`)
}

/** Expects that a promise rejects with an IvcapError of that code, and about that argument if one is given. */
export async function expectError(
  promise: Promise<unknown>,
  code: IvcapErrorCode,
  argument?: string,
): Promise<IvcapError> {
  const error = await rejectionOf(promise)
  if (!isIvcapError(error)) throw error
  expect(error.code, error.message).toBe(code)
  if (argument !== undefined) expect(error.argument, error.message).toBe(argument)
  return error
}

/** Returns true if `cause` is the error itself or occurs in its chain of causes. */
export function isCausedBy(error: unknown, cause: unknown): boolean {
  for (let e = error; e !== undefined; e = e instanceof Error ? e.cause : undefined) {
    if (e === cause) return true
  }
  return false
}
