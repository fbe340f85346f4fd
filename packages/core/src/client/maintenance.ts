import { IvcapError } from '../model/errors.js'
import type { OptionNames } from '../model/options.js'
import type { Problem, VerifyOptions } from '../model/problems.js'
import type { OpOptions } from '../ports/index.js'
import type { Context } from './context.js'
import { CALL_OPTIONS, type CallOptions, perform } from './operation.js'

export const VERIFY_OPTIONS: OptionNames<CallOptions & VerifyOptions> = { digests: true, ...CALL_OPTIONS }

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
