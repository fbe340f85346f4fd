// Local mode: artifacts are ordinary files in a folder. No network, no account, the same code as on a deployment.
//   npm run local-mode [path/to/a/file]
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { local } from '@ivcap/client'
import { inputPath } from './input.js'

// local() is local whatever the environment says. The folder is made when something is first written.
const baseDir = await mkdtemp(join(tmpdir(), 'ivcap-local-mode-'))
const ivcap = await local({ baseDir })

// The name is the path below the folder; the id holds the whole path.
const filePath = inputPath('ctd-casts.csv')
const name = `cruise-7/${basename(filePath)}`
const artifact = await ivcap.uploadArtifact({ name, filePath })
console.log(artifact.id)

// No copy is made to read it as a file: this is the very file, and dispose() leaves it alone.
const file = await artifact.asLocalFile()
console.log('the file itself:', file.path === join(baseDir, name))
await file.dispose()

// The same name again takes the place of the old content, all at once. (A deployment would make a second artifact.)
await ivcap.uploadArtifact({ name, content: 'cast,depth_m\n', contentType: 'text/csv' })
console.log('replaced:', await (await ivcap.getArtifact(artifact.id)).text())

// What others put into the folder is an artifact too.
await writeFile(join(baseDir, 'by-hand.txt'), 'copied here with the file manager')
for await (const a of ivcap.listArtifacts()) console.log('listed:', a.name)

// Files outside the folder can be read by their path, e.g. inputs that are mounted into a container.
const outside = await ivcap.getArtifact(`file://${filePath}`)
console.log('outside:', outside.size, 'bytes')

// Metadata are small JSON files; the Python client reads and writes the same ones.
console.log(
  'metadata files:',
  (await readdir(join(baseDir, 'aspects'))).filter((f) => f.endsWith('.json')).length,
)

await ivcap.close()
await rm(baseDir, { recursive: true })
