import {
  type AspectRecord,
  type AspectStore,
  abortable,
  IvcapError,
  type OpOptions,
  type Urn,
} from '@ivcap/core/driver'
import { aspectUuid, type Clock, shareTurns } from '@ivcap/core/internal'
import type { Bases } from '../bases.js'
import { withFolderErrors } from '../fs/fs-error.js'
import { type LocalFs, retryIfTooManyOpen } from '../fs/local-fs.js'
import type { Omissions } from '../fs/omissions.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { ContentPathResults } from './content-path-scan.js'
import { listAspects } from './listing.js'
import type { AspectRecords } from './records.js'

/** Aspects in the folder. The client has checked and completed all arguments; ids resolve by their uuid only. */
export function aspectStore(parts: {
  readonly fs: LocalFs
  readonly dir: string
  readonly index: AspectIndex
  readonly records: AspectRecords
  readonly clock: Clock
  readonly bases: Bases
  readonly omissions: Omissions
  /** Awaited before anything else. */
  readonly open: () => Promise<void>
}): AspectStore {
  const { fs, dir, records, omissions, open } = parts
  const results = new ContentPathResults()

  const inTurn = shareTurns()

  async function run<T>(operation: string, o: OpOptions, work: () => Promise<T>): Promise<T> {
    o.signal?.throwIfAborted()
    await abortable(open(), o.signal)
    await inTurn()
    o.signal?.throwIfAborted()
    return await omissions.during(o, () => withFolderErrors(dir, operation, work))
  }
  const read = <T>(operation: string, o: OpOptions, work: () => Promise<T>): Promise<T> =>
    retryIfTooManyOpen(fs, () => run(operation, o, work), o)
  const uuidOf = (id: Urn): string => {
    const uuid = aspectUuid(id)
    if (uuid === undefined) throw notFound(id)
    return uuid
  }
  const notFound = (id: Urn) =>
    new IvcapError('not-found', `there is no aspect ${id} in ${dir}`, { resource: id })

  return {
    assert: (draft, mode, o) =>
      run('store an aspect', o, async (): Promise<AspectRecord> => {
        if (mode === 'replace') return await records.update(draft, o)
        const [added] = await records.add([draft], o)
        if (added === undefined) throw new IvcapError('unknown', `nothing was added to ${dir}`)
        return added
      }),

    assertMany: (drafts, o) => run('store aspects', o, () => records.add(drafts, o)),

    get: (id, o) =>
      read('read an aspect', o, async () => {
        const record = await records.load(uuidOf(id), undefined, { strict: true })
        if (record === undefined) throw notFound(id)
        return record
      }),

    list: (q, o) => read('list aspects', o, () => listAspects(q, o, { ...parts, results })),

    retract: (id, o) =>
      run('retract an aspect', o, async () => {
        if (!(await records.retract(uuidOf(id), o))) throw notFound(id)
      }),
  }
}
