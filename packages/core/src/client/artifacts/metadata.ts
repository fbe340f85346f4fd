/** The aspects of one artifact. */
import type { OptionNames } from '../../model/options.js'
import type { TimeInput } from '../../model/time.js'
import type { Urn } from '../../model/urn.js'
import type { AspectDraft, OpOptions } from '../../ports/index.js'
import { type AssertOptions, aspectDraft } from '../aspects/aspect-input.js'
import { type AspectType, isAspectType } from '../aspects/aspect-type.js'
import { concurrently } from '../concurrently.js'
import type { Context } from '../context.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'

/** Maximum number of concurrent writes, for a store without `assertMany`. */
const AT_ONCE = 8

export interface GetMetadataOptions extends CallOptions {
  /** Reads the aspect that was in force at this time. @default now */
  readonly atTime?: TimeInput | undefined
}

export const GET_METADATA_OPTIONS: OptionNames<GetMetadataOptions> = { atTime: true, ...CALL_OPTIONS }

/** Arguments of `addMetadata` and `updateMetadata`: one content or several, or a type and a value of it. */
export interface MetadataInput {
  readonly type?: AspectType
  readonly contents: unknown
  readonly o: AssertOptions
}

/** Reads the arguments of both overloads. The call checks the options. */
export const metadataInput = (first: unknown, second: unknown, third: unknown): MetadataInput =>
  isAspectType(first)
    ? { type: first, contents: second, o: third ?? {} }
    : { contents: first, o: second ?? {} }

/** The aspects to store. @throws IvcapError `missing-argument` or `invalid-argument` */
export async function draftsOf(
  entity: Urn,
  { type, contents }: MetadataInput,
  { schema, policy }: AssertOptions,
): Promise<readonly AspectDraft[]> {
  if (type !== undefined)
    return [aspectDraft({ entity, content: await type.toContent(contents), schema: type.schema, policy })]
  const isList = Array.isArray(contents)
  const list: readonly unknown[] = isList ? contents : [contents]
  return list.map((content, i) =>
    aspectDraft({ entity, content, schema, policy }, isList ? `metadata[${i}].` : ''),
  )
}

/** Writes in order if the store has `assertMany`, or if each aspect replaces the one before it. */
export async function assertAll(
  { backend }: Context,
  drafts: readonly AspectDraft[],
  mode: 'add' | 'replace',
  op: OpOptions,
): Promise<void> {
  const { aspects } = backend
  if (mode === 'add' && drafts.length > 1 && aspects.assertMany)
    return void (await aspects.assertMany(drafts, op))
  const write = async (draft: AspectDraft) => void (await aspects.assert(draft, mode, op))
  await concurrently(drafts, mode === 'add' ? AT_ONCE : 1, write, op.signal)
}
