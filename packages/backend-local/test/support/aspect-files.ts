import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { aspectUrn, type Urn } from '@ivcap/core/driver'
import { parseTimestamp, schemaMatcher } from '@ivcap/core/internal'

interface AspectFile {
  readonly entity: string
  readonly schema: string
  readonly content: Record<string, string | number>
  readonly valid_from?: string
  readonly valid_to?: string
}

/** Writes a record as the Python client does: into its place, with the keys in this order. */
export async function putAspect(baseDir: string, file: AspectFile): Promise<Urn> {
  const id = crypto.randomUUID()
  const { entity, schema, content, valid_from = null, valid_to = null } = file
  const json = { id: aspectUrn(id), entity, schema, content, valid_from, valid_to }
  await mkdir(join(baseDir, 'aspects'), { recursive: true })
  await writeFile(join(baseDir, 'aspects', `${id}.json`), JSON.stringify(json, null, 2))
  return json.id
}

/** What the files say, without any index. */
export async function readAspects(baseDir: string) {
  const dir = join(baseDir, 'aspects')
  const all: { id: string; entity: string; schema: string; from: string; to: string | undefined }[] = []
  for (const name of await readdir(dir)) {
    const json = JSON.parse(await readFile(join(dir, name), 'utf8'))
    const { id, entity, schema, valid_from, valid_to } = json
    const to = valid_to === null ? undefined : parseTimestamp(valid_to)
    all.push({ id, entity, schema, from: valid_from === null ? '' : (parseTimestamp(valid_from) ?? ''), to })
  }
  return {
    ids: all.map(({ id }) => id),
    /** Ids of what is in force, by validFrom and id. */
    inOrder: (q: {
      entity?: string
      schema?: string
      atTime?: string
      orderDirection: 'ASC' | 'DESC'
    }): string[] => {
      const fits = schemaMatcher(q.schema)
      const found = all.filter(({ entity, schema, from, to }) => {
        if ((q.entity !== undefined && entity !== q.entity) || !fits(schema)) return false
        return q.atTime === undefined
          ? to === undefined
          : from <= q.atTime && (to === undefined || q.atTime < to)
      })
      const ids = found
        .sort((a, b) => (`${a.from} ${a.id}` < `${b.from} ${b.id}` ? -1 : 1))
        .map(({ id }) => id)
      return q.orderDirection === 'ASC' ? ids : ids.reverse()
    },
  }
}
