import { IvcapError, type IvcapErrorCode } from '../../model/errors.js'

export const MAX_LENGTH = 10_000
export const MAX_NESTING = 100

export function refusal(code: IvcapErrorCode, message: string): IvcapError {
  return new IvcapError(code, `contentPath ${message}`, { argument: 'contentPath' })
}

/** What can't be read at `at`, counted from 0. */
export function syntaxError(at: number, problem: string): IvcapError {
  return refusal('invalid-argument', `can't be read at character ${at + 1}: ${problem}`)
}

export function leftOut(what: string, remedy: string): IvcapError {
  return refusal('unsupported', `has ${what}, which is not supported here: ${remedy}`)
}
