import type { Artifact, Ivcap } from '@ivcap/core'

interface MixedLayer {
  readonly cast: string
  /** Metres. Undefined if the cast ended before the bottom of the mixed layer. */
  readonly depth?: number
}

/** The depth of the reference temperature in metres, below the daily warming of the surface. */
const REFERENCE_DEPTH = 10
/** Water colder than the reference by this many °C is below the mixed layer. Both: de Boyer Montégut et al. (2004). */
const COLDER = 0.2

/**
 * A service as a plain function: reads a CSV of CTD casts, finds the depth of the mixed layer in each cast, and stores the result
 * as an artifact. It receives the client as an argument, so it runs unchanged on a laptop, in a test and on the platform.
 *
 * @param castsId artifact with the columns `cast`, `depth_m`, `temperature_c`
 */
export async function mixedLayer(ivcap: Ivcap, castsId: string): Promise<Artifact> {
  const casts = await ivcap.getArtifact(castsId)
  const layers = [...rowsByCast(await casts.text())].map(([cast, rows]) => mixedLayerOf(cast, rows))
  const result = await ivcap.uploadArtifact({
    name: 'mixed-layer.json',
    content: JSON.stringify(layers),
    contentType: 'application/json',
  })
  return result.addMetadata({
    $schema: 'urn:example:schema:mixed-layer.1',
    source: casts.id,
    casts: layers.length,
  })
}

interface Row {
  readonly depth: number
  readonly temperature: number
}

function mixedLayerOf(cast: string, rows: readonly Row[]): MixedLayer {
  const reference = rows.find((row) => row.depth >= REFERENCE_DEPTH)
  if (reference === undefined) return { cast }
  const bottom = rows.find(
    (row) => row.depth > reference.depth && row.temperature < reference.temperature - COLDER,
  )
  return bottom === undefined ? { cast } : { cast, depth: bottom.depth }
}

function rowsByCast(csv: string): Map<string, Row[]> {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/)
  const columns = header.split(',')
  const column = (name: string) => {
    const at = columns.indexOf(name)
    if (at < 0)
      throw new Error(
        `the casts have no column ${name}: their first line is ${JSON.stringify(header.slice(0, 80))}`,
      )
    return at
  }
  const [cast, depth, temperature] = [column('cast'), column('depth_m'), column('temperature_c')]
  const casts = new Map<string, Row[]>()
  for (const cells of lines.map((line) => line.split(','))) {
    const key = cells[cast] ?? ''
    const rows = casts.get(key) ?? []
    rows.push({ depth: Number(cells[depth]), temperature: Number(cells[temperature]) })
    casts.set(key, rows)
  }
  return casts
}
