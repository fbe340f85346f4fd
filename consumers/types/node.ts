import { createReadStream } from 'node:fs'
import { localBackend } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import { local } from '@ivcap/client'
import { Ivcap } from '@ivcap/core'

export async function tour(): Promise<void> {
  for (const ivcap of [
    new Ivcap(memoryBackend()),
    new Ivcap(localBackend({ baseDir: 'data' })),
    await local({ baseDir: 'data' }),
  ]) {
    const artifact = await ivcap.uploadArtifact({
      name: 'reef.nc',
      content: createReadStream('reef.nc'),
      contentType: 'application/netcdf',
    })
    const bytes: Buffer = Buffer.from(await artifact.bytes())
    console.log(bytes.length, (await artifact.asLocalFile('copy.nc')).path)
    await ivcap.close()
  }
}
