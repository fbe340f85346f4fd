import { IvcapError } from '../../model/errors.js'

/** @param at zero-based position of the error */
export function wrong(at: number, what: string): IvcapError {
  return new IvcapError('invalid-argument', `filter is wrong at character ${at + 1}: ${what}`, {
    argument: 'filter',
  })
}
