/**
 * A process that writes to a folder until it is killed, or has done so many rounds. After each thing that was acknowledged it
 * says so in a line of JSON. `node writer.mjs <folder> <name> [rounds]`
 */
import { createHash, randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { contentSource } from '@ivcap/core/driver'
import { localBackend } from '../../src/index.js'
import { draft, entity, named, plain, tag } from '../local.js'

export interface Acknowledged {
  readonly kind: 'upload' | 'update' | 'add' | 'retract'
  readonly id: `urn:${string}`
  readonly sha256?: string
}

const [dir = '', self = '', rounds = '1000000'] = process.argv.slice(2)
const { artifacts, aspects } = localBackend({ baseDir: dir })

const acknowledge = (a: Acknowledged) => writeSync(1, `${JSON.stringify(a)}\n`)

/** Begins with the digest of the rest, so that whoever finds it can tell whether it is whole. */
function content(): Uint8Array {
  const rest = randomBytes(Math.floor(Math.random() ** 3 * 800_000))
  const digest = createHash('sha256').update(rest).digest('hex')
  return new Uint8Array(Buffer.concat([Buffer.from(digest), rest]))
}

async function* inPieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

for (let i = 0; i < Number(rounds); i++) {
  const name = i % 2 === 0 ? 'shared/same' : `${self}/${i}`
  const made = await artifacts.create(contentSource(inPieces(content())), named(name), plain)
  acknowledge({ kind: 'upload', id: made.id, ...(made.sha256 && { sha256: made.sha256 }) })
  acknowledge({
    kind: 'update',
    id: (await aspects.assert(draft(entity, tag, { self, i }), 'replace', {})).id,
  })
  const added = await aspects.assert(draft(made.id, tag, { self, i }), 'add', {})
  acknowledge({ kind: 'add', id: added.id })
  const drafts = Array.from({ length: 3 }, (_, n) => draft(made.id, tag, { self, i, n }))
  for (const { id } of (await aspects.assertMany?.(drafts, {})) ?? []) acknowledge({ kind: 'add', id })
  await aspects.retract(added.id, {})
  acknowledge({ kind: 'retract', id: added.id })
}
