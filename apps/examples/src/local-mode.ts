// Local mode: artifacts are ordinary files in a folder. No network, no account, the same code as on a deployment.
//   npm run local-mode [path/to/a/file]
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { local } from '@ivcap/client'
import { inputPath } from './input.js'

// local() always uses a local folder, regardless of the environment. The first write creates the folder.
const baseDir = await mkdtemp(join(tmpdir(), 'ivcap-local-mode-'))
const ivcap = await local({ baseDir })

// The name is the path below the folder; the id contains the whole path.
const filePath = inputPath('ctd-casts.csv')
const name = `cruise-7/${basename(filePath)}`
const artifact = await ivcap.uploadArtifact({ name, filePath })
console.log(artifact.id)

// No copy is made to read it as a file: the path is that of the artifact's own file, and dispose() does not delete it.
const file = await artifact.asLocalFile()
console.log('the file itself:', file.path === join(baseDir, name))
await file.dispose()

// An upload with the same name replaces the old content atomically. (A deployment would create a second artifact.)
await ivcap.uploadArtifact({ name, content: 'cast,depth_m\n', contentType: 'text/csv' })
console.log('replaced:', await (await ivcap.getArtifact(artifact.id)).text())

// Files that other programs put into the folder are artifacts, too.
await writeFile(join(baseDir, 'by-hand.txt'), 'copied here with the file manager')
for await (const a of ivcap.listArtifacts()) console.log('listed:', a.name)

// Files outside the folder can be read by their path, e.g. inputs that are mounted into a container.
const outside = await ivcap.getArtifact(`file://${filePath}`)
console.log('outside:', outside.size, 'bytes')

// Metadata are small JSON files. The Python client reads and writes the same files.
console.log(
  'metadata files:',
  (await readdir(join(baseDir, 'aspects'))).filter((f) => f.endsWith('.json')).length,
)

await ivcap.close()
await rm(baseDir, { recursive: true })
