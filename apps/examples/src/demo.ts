// All of it in one run: upload, list, download, describe, look back in time, provenance.
//   npm run demo [-- path/to/any/file]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { type Artifact, type Ivcap, local } from '@ivcap/client'
import { type Input, inputFile, nameOf } from './demo/input.js'
import {
  bad,
  bold,
  bytes,
  dim,
  duration,
  good,
  printable,
  progressBar,
  say,
  step,
  tell,
} from './demo/print.js'
import { sha256, sha256OfFile } from './demo/sha256.js'
import { inputPath } from './input.js'

/** Larger content is not read as a Blob, which holds all of it in memory. */
const BLOB_LIMIT = 512 * 1024 ** 2
/** Larger files are not copied just for the demo. */
const COPY_LIMIT = 2 * 1024 ** 3

/** The schema of the aspect that every upload records. */
const UPLOAD = 'urn:ivcap:schema.artifact.1'
const NOTE = 'urn:example:schema:note.1'
const QUALITY = 'urn:example:schema:quality.1'

async function demo(): Promise<void> {
  const input = inputFile(inputPath('ctd-casts.csv'))
  const calledFrom = process.env['INIT_CWD'] ?? process.cwd()
  const baseDir = resolve(calledFrom, process.env['IVCAP_LOCAL_DIR'] || 'ivcap-artifacts')
  const ivcap = await local({ baseDir, digest: true })
  console.log(bold('IVCAP artifacts, on this machine and without a network'))

  const artifact = await upload(ivcap, input)
  await list(ivcap)
  await download(artifact, input)
  const updates = await describe(ivcap, artifact)
  await lookBack(artifact, updates)
  await provenance(artifact)
  await ivcap.close()
  whatNext(artifact, baseDir)
}

async function upload(ivcap: Ivcap, { path, size }: Input): Promise<Artifact> {
  step('Upload a file')
  tell('file', printable(path))
  tell('size', bytes(size))
  const start = performance.now()
  const artifact = await ivcap.uploadArtifact({
    name: nameOf(path),
    filePath: path,
    onProgress: progressBar(),
  })
  say(`Done in ${duration(performance.now() - start)}. It is an artifact now:`)
  tell('id', printable(artifact.id))
  tell('name', printable(artifact.name ?? ''))
  tell('type', artifact.mimeType ?? 'unknown')
  tell('status', artifact.status)
  return artifact
}

async function list(ivcap: Ivcap): Promise<void> {
  step('List the newest artifacts (times are UTC)')
  for await (const { name, size = 0, createdAt } of ivcap.listArtifacts({ limit: 5 })) {
    say(
      `${createdAt?.toISOString().slice(0, 19).replace('T', ' ')}  ${printable(name ?? '')}  ${bytes(size)}`,
    )
  }
}

async function download(artifact: Artifact, { path, size }: Input): Promise<void> {
  step('Download it in three ways, and compare the SHA-256 digests')
  const expected = await sha256OfFile(path)
  tell('your file', expected)
  const compare = (way: string, digest: string) => {
    if (digest !== expected) throw new Error(`${way} gave other bytes than ${path} has: ${digest}`)
    tell(way, `${digest}  ${good('the same')}`)
  }
  compare('asLocalFile()', await viaFile(artifact, size))
  compare('asStream()', await sha256(artifact.asStream()))
  if (size > BLOB_LIMIT) {
    tell('blob()', 'left out: it holds the whole content in memory, too much for a file this large')
  } else {
    compare('blob()', await sha256(chunksOf(await artifact.blob())))
  }
}

/** Downloads to a temporary file. A very large artifact is not copied: its own file is read. */
async function viaFile(artifact: Artifact, size: number): Promise<string> {
  if (size > COPY_LIMIT) return sha256OfFile((await artifact.asLocalFile()).path)
  const folder = await mkdtemp(join(tmpdir(), 'ivcap-demo-'))
  try {
    return await sha256OfFile((await artifact.asLocalFile(join(folder, 'download'))).path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array> {
  const part = 1024 * 1024
  for (let at = 0; at < blob.size; at += part)
    yield new Uint8Array(await blob.slice(at, at + part).arrayBuffer())
}

/** Returns the first update and the update that replaced it. */
async function describe(ivcap: Ivcap, artifact: Artifact) {
  step('Describe it: metadata are JSON objects with a schema')
  await artifact.addMetadata({ $schema: NOTE, text: 'The demo was here', platform: process.platform })
  const raw = await ivcap.updateAspect(artifact.id, { $schema: QUALITY, level: 'raw', checked: false })
  for await (const { schema, content } of artifact.metadata({ limit: 4 })) {
    const { $schema: _, ...rest } = content
    tell(
      schema.replace(/^.*[:.]([a-z-]+\.\d+)$/, '$1'),
      schema === UPLOAD ? 'what the upload recorded: see 7.' : JSON.stringify(rest),
    )
  }

  step('Update the description')
  const checked = await ivcap.updateAspect(artifact.id, { $schema: QUALITY, level: 'checked', checked: true })
  tell('before', JSON.stringify(raw.content['level']))
  tell('now', JSON.stringify(checked.content['level']))
  return { raw, checked }
}

async function lookBack(
  artifact: Artifact,
  { raw, checked }: Awaited<ReturnType<typeof describe>>,
): Promise<void> {
  step('Travel back in time: nothing is ever lost')
  const { validFrom: then } = (await raw.load()).record
  const [before] = await artifact.metadata({ schema: QUALITY, atTime: then }).toArray()
  const [now] = await artifact.metadata({ schema: QUALITY }).toArray()
  if (before?.content['level'] !== 'raw' || now?.content['level'] !== 'checked') {
    throw new Error('the past does not read as it was written')
  }
  tell(`at ${then?.slice(11, 26)}`, `level ${JSON.stringify(before.content['level'])}`)
  tell('now', `level ${JSON.stringify(now.content['level'])}`)
  say('The whole story, newest first:')
  let shown = 0
  for await (const { record, content } of checked.history()) {
    if (++shown > 4) {
      say('  … and what earlier runs of the demo left')
      break
    }
    say(
      `  level ${JSON.stringify(content['level']).padEnd(9)}  from ${record.validFrom}  to ${record.validTo ?? 'now'}`,
    )
  }
}

async function provenance(artifact: Artifact): Promise<void> {
  step('Ask where it comes from')
  const { record, producedBy, usedBy } = await artifact.provenance()
  tell('uploaded', `${record?.createdAt ?? 'unknown'}, ${bytes(record?.size ?? 0)}`)
  if (record?.sha256 !== undefined) tell('SHA-256', record.sha256)
  tell('produced by', producedBy.join(', ') || 'no job: you uploaded it')
  tell('used by', usedBy.join(', ') || 'no job yet')
}

function whatNext(artifact: Artifact, baseDir: string): void {
  console.log(`\n${bold('Where it is')}`)
  say('Artifacts are ordinary files here, and metadata small JSON files:')
  say(printable(join(baseDir, artifact.name ?? basename(artifact.id))))
  say(printable(join(baseDir, 'aspects')))
  say(dim('Remove the folder when you have seen enough.'))
  console.log(`\n${bold('What to try next')}`)
  say('npm run demo -- path/to/your/file     the tour with a file of yours')
  say('cd apps/examples && npm run           one short script for each subject')
  say('README.md                             how to use it in your own project')
}

try {
  await demo()
} catch (e) {
  console.error(`\n${bad('The demo stopped:')} ${e instanceof Error ? printable(e.message) : e}`)
  process.exitCode = 1
}
