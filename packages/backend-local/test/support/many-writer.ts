/**
 * A process that adds many aspects at a time, one of which it updates, and lists, until it is killed or has done so many
 * rounds. After each thing that was acknowledged it says so in a line of JSON. `node many-writer.mjs <folder> <name> [rounds]`
 */
import { writeSync } from 'node:fs'
import { localBackend } from '../../src/index.js'
import { allAspects, draft, tag } from '../local.js'
import type { Acknowledged } from './writer.js'

export type { Acknowledged }

const [dir = '', self = '', rounds = '1000000'] = process.argv.slice(2)
const { aspects, ...rest } = localBackend({ baseDir: dir })

const acknowledge = (a: Acknowledged) => writeSync(1, `${JSON.stringify(a)}\n`)

for (let i = 0; i < Number(rounds); i++) {
  const entity = `urn:example:${self}:${i}`
  const drafts = Array.from({ length: 150 }, (_, n) =>
    draft(entity, n === 0 ? tag : 'urn:example:many', { n }),
  )
  for (const { id } of (await aspects.assertMany?.(drafts, {})) ?? []) acknowledge({ kind: 'add', id })
  const { id } = await aspects.assert(draft(entity, tag, { n: -1 }), 'replace', {})
  acknowledge({ kind: 'update', id })
  const found = await allAspects({ aspects, ...rest }, { entity, limit: 200 })
  if (found.length !== 150) throw new Error(`${found.length} of 150 were found`)
}
