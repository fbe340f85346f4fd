import { IvcapError } from '../model/errors.js'
import type { Problem, VerifyOptions } from '../model/problems.js'
import type { OpOptions } from '../ports.js'
import type { Context } from './context.js'
import { type CallOptions, perform } from './operation.js'

/** Asks the backend to examine or to mend its place. @throws IvcapError `unsupported` where it cannot */
export function maintenance(
  context: Context,
  operation: 'verify' | 'repair',
  o: CallOptions,
  withOptions: (op: OpOptions) => OpOptions & VerifyOptions,
): Promise<readonly Problem[]> {
  return perform(context, operation, o, async (op) => {
    const run = context.backend[operation]
    if (run !== undefined) return run(withOptions(op))
    const { location } = context.backend.artifacts
    throw new IvcapError('unsupported', `${location} cannot be examined from here`, { resource: location })
  })
}
