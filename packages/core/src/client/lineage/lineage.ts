import type { OptionNames } from '../../model/options.js'
import { parseUrn, type Urn } from '../../model/urn.js'
import { checkLimit, checkWord } from '../arguments.js'
import type { Context } from '../context.js'
import { idOf, type Reference } from '../handle.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'
import { type LineageEdge, type LineageNode, LineageWalk } from './lineage-walk.js'
import { mermaid } from './mermaid.js'

export interface LineageOptions extends CallOptions {
  /** Maximum number of steps from the start; from an artifact to a job is one step. Infinity: no limit but `limit`. @default 6 */
  readonly depth?: number | undefined
  /** `upstream`: from what it was made. `downstream`: what was made from it. @default both */
  readonly direction?: 'upstream' | 'downstream' | 'both' | undefined
  /** Maximum number of nodes. @default 1000 */
  readonly limit?: number | undefined
}

const LINEAGE_OPTIONS: OptionNames<LineageOptions> = {
  depth: true,
  direction: true,
  limit: true,
  ...CALL_OPTIONS,
}

/** A graph of artifacts and jobs. */
export interface Lineage {
  /** The requested node comes first, then nodes in order of distance. */
  readonly nodes: readonly LineageNode[]
  readonly edges: readonly LineageEdge[]
  /** Nodes whose further neighbours are cut off by `depth` or `limit`. Call `lineage` with one of them to continue. */
  readonly open: readonly Urn[]
  /** A flowchart for https://mermaid.js.org, which many Markdown viewers can show. */
  toMermaid(): string
}

const DIRECTIONS = ['upstream', 'downstream', 'both'] as const

/** @param id an artifact or a job */
export function lineageOf(context: Context, id: Reference, o: LineageOptions): Promise<Lineage> {
  return call(context, 'lineage', o, LINEAGE_OPTIONS, async (op, checked) => {
    const start = parseUrn(idOf(id), 'id')
    const depth = checkLimit(checked.depth ?? 6, 'depth')
    const limit = Math.max(checkLimit(checked.limit ?? 1000), 1)
    const direction = checkWord(checked.direction ?? 'both', 'direction', DIRECTIONS)
    const walk = new LineageWalk(context, { id: start, kind: kindOf(start) }, limit, op)
    for (const way of ['upstream', 'downstream'] as const) {
      if (direction === way || direction === 'both') await walk.follow(start, way, depth)
    }
    const nodes = [...walk.nodes.values()]
    const edges = [...walk.edges.values()]
    return { nodes, edges, open: [...walk.open], toMermaid: () => mermaid(nodes, edges, [...walk.open]) }
  })
}

/** Older deployments call a job an order. */
const kindOf = (id: Urn): LineageNode['kind'] => (/^urn:ivcap:(job|order):/.test(id) ? 'job' : 'artifact')
