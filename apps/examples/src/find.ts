// Find: ten queries for described data. They have the same results on every backend.
//   npm run find
import { connect } from '@ivcap/client'

const ivcap = await connect()
const SURVEY = 'urn:example:schema:find-survey.1'
const CHECK = 'urn:example:schema:find-check.1'

// Five casts of a survey, each with a description…
const casts = [
  { site: 'Heron', depth: 8, tags: ['coral'], images: [{ size: 900 }, { size: 2_400_000 }] },
  {
    site: 'Heron',
    depth: 12,
    tags: ['coral', 'seagrass'],
    images: [{ size: 1200 }],
    note: 'fog in the morning',
  },
  { site: 'Lizard', depth: 25, tags: ['sand'], images: [] },
  { site: 'Lizard', depth: 31, tags: ['coral', 'sand'], images: [{ size: 5_000_000 }], note: 'calm' },
  { site: 'Davies', depth: 60, tags: [], images: [{ size: 80 }] },
]
const artifacts = []
for (const [n, cast] of casts.entries()) {
  const artifact = await ivcap.uploadArtifact({
    name: `find/cast-${n + 1}.csv`,
    content: `depth\n${cast.depth}\n`,
  })
  await artifact.updateMetadata({ $schema: SURVEY, ...cast })
  artifacts.push(artifact)
}

// …and two rounds of checks. The second round checked only three of them.
for (const artifact of artifacts) await artifact.updateMetadata({ $schema: CHECK, level: 'raw' })
const [firstRound] = await ivcap.listAspects({ schema: CHECK, limit: 1 }).toArray()
for (const artifact of artifacts.slice(1, 4))
  await artifact.updateMetadata({ $schema: CHECK, level: 'checked' })

const find = async (question: string, o: Parameters<typeof ivcap.findArtifacts>[0]) => {
  const found = await ivcap.findArtifacts(o).toArray()
  console.log(`${question}: ${found.map(({ name }) => name?.replace(/^.*\/|\.csv$/g, '')).join(', ')}`)
}

// 1. By tag. If a field is a list, it matches if any of its elements does.
await find('tagged coral', { schema: SURVEY, where: { tags: 'coral' } })

// 2. By range.
await find('from 10 to 31 m', { schema: SURVEY, where: { depth: { gte: 10, lte: 31 } } })

// 3. By several schemas: the description and the check must both match.
await find('checked, at Lizard', {
  schema: SURVEY,
  where: { site: 'Lizard' },
  having: [{ schema: CHECK, where: { level: 'checked' } }],
})

// 4. By text: `%` matches any text. There is also startsWith, and matches with a regular expression.
await find('a note on fog', { schema: SURVEY, where: { note: { like: '%fog%' } } })

// 5. By a list of objects: dots in a path lead into its objects.
await find('an image above 1 MB', { schema: SURVEY, where: { 'images.size': { gt: 1e6 } } })

// 6. By time: the state at that time, regardless of later changes.
await find('raw after the first round', {
  schema: CHECK,
  where: { level: 'raw' },
  atTime: firstRound?.record.validFrom,
})

// 7. By a field that is absent.
await find('without a note', { schema: SURVEY, where: { note: { exists: false } } })

// 8. By negation. `or` and `and` combine conditions.
await find('neither coral nor sand', {
  schema: SURVEY,
  where: { not: { or: [{ tags: 'coral' }, { tags: 'sand' }] } },
})

// 9. The newest of each site: the newest match comes first. A match contains the aspects by which it was found.
const newest = new Map<unknown, string | undefined>()
for await (const { name, aspects } of ivcap.findArtifacts({
  schema: SURVEY,
  limit: Number.POSITIVE_INFINITY,
})) {
  const site = aspects[0]?.content['site']
  if (!newest.has(site)) newest.set(site, name)
}
console.log('newest of each site:', Object.fromEntries(newest))

// 10. The number of matches: lists only aspects, without their contents.
let count = 0
const coral = {
  schema: SURVEY,
  where: { tags: 'coral' },
  includeContent: false,
  limit: Number.POSITIVE_INFINITY,
}
for await (const _ of ivcap.listAspects(coral)) count++
console.log(`how many are tagged coral: ${count}`)

await ivcap.close()
