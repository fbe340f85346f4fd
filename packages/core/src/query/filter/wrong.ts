import { IvcapError } from '../../model/errors.js'

/** `at`: characters before the place that is wrong. */
export function wrong(at: number, what: string): IvcapError {
  return new IvcapError('invalid-argument', `filter is wrong at character ${at + 1}: ${what}`, {
    argument: 'filter',
  })
}
