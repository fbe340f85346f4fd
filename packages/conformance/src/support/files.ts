import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArtifactRecord, Backend, TransferOptions } from '@ivcap/core/driver'
import { fileSource } from '@ivcap/core/internal'
import { onTestFinished } from 'vitest'
import { transfer } from './transfer.js'

/** Writes a temporary file with these bytes and returns its path. The file is removed when the test ends. */
export async function fileOf(bytes: Uint8Array, name = 'sømething 1.bin'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ivcap-conformance-file-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

/** Uploads a file as the client does. */
export async function uploadFile(
  { artifacts }: Backend,
  path: string,
  { name, ...o }: Partial<TransferOptions> & { readonly name?: string } = {},
): Promise<ArtifactRecord> {
  const source = await fileSource(path, 'filePath')
  const draft = { mimeType: 'application/octet-stream', ...(name !== undefined && { name }) }
  return artifacts.create(source, draft, { ...transfer, ...o })
}
