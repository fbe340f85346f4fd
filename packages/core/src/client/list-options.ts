import { omitUndefined } from '../model/omit-undefined.js'
import type { OptionNames } from '../model/options.js'
import type { TimeInput } from '../model/time.js'
import type { ServiceQuery } from '../ports/index.js'
import { checkText } from './aspects/aspect-input.js'
import { parseAtTime } from './at-time.js'
import { CALL_OPTIONS, type CallOptions } from './operation.js'

/** What a listing of records takes. */
export interface ListOptions extends CallOptions {
  /** How many in all; default 10; Infinity for all. */
  readonly limit?: number | undefined
  /** e.g. `name ~= 'Fire%'`. */
  readonly filter?: string | undefined
  /** A field, e.g. `name`. */
  readonly orderBy?: string | undefined
  readonly orderDesc?: boolean | undefined
  /** List what was there then. */
  readonly atTime?: TimeInput | undefined
}

export const LIST_OPTIONS: OptionNames<ListOptions> = {
  limit: true,
  filter: true,
  orderBy: true,
  orderDesc: true,
  atTime: true,
  ...CALL_OPTIONS,
}

/** All of a query but its page. @throws IvcapError `invalid-argument` */
export const listQuery = (
  { filter, orderBy, orderDesc, atTime }: ListOptions,
  descending: boolean,
): Omit<ServiceQuery, 'limit' | 'cursor'> =>
  omitUndefined({
    filter: filter === undefined ? undefined : checkText(filter, 'filter'),
    orderBy: orderBy === undefined ? undefined : checkText(orderBy, 'orderBy'),
    orderDesc: orderDesc ?? descending,
    atTime: parseAtTime(atTime),
  })
