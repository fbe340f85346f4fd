// Typed metadata: a schema checks what is written and read, and the compiler knows the fields.
//   npm run typed [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { defineAspect, isIvcapError } from '@ivcap/core'
import { z } from 'zod'
import { inputPath } from './input.js'

// Any library with Standard Schema will do: zod, valibot, arktype, …
const Site = defineAspect(
  'urn:example:schema:typed-site.1',
  z.object({ reef: z.string(), depth: z.number().nonnegative(), tags: z.array(z.string()) }),
)

const ivcap = await connect()
const filePath = inputPath('reef-quadrat.png')
const artifact = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

// Written, and read again as its type.
await artifact.updateMetadata(Site, { reef: 'Davies', depth: 8.5, tags: ['coral', 'quadrat'] })
const site = await artifact.getMetadata(Site)
console.log('the site:', site?.value.reef, site?.value.depth)

// A value that does not fit is refused before anything is sent.
try {
  await artifact.updateMetadata(Site, { reef: 'Davies', depth: -1, tags: [] })
} catch (error) {
  if (!isIvcapError(error, 'invalid-argument')) throw error
  console.log(
    'refused:',
    error.issues?.map(({ path, message }) => `${path?.join('.')}: ${message}`).join('; '),
  )
}

// Conditions know the fields and their types, too.
const deep = ivcap.findArtifacts({ type: Site, where: { depth: { gte: 5 }, tags: 'coral' } })
for await (const { name } of deep) console.log('found:', name)

await ivcap.close()
