import type { JobStatus } from '../../model/services.js'
import type { Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { concurrently } from '../concurrently.js'
import type { Context } from '../context.js'
import { linksOfArtifact, linksOfJob, type NodeLinks } from './lineage-links.js'

export interface LineageNode {
  readonly id: Urn
  readonly kind: 'artifact' | 'job'
  /** Name of the artifact, or of the job's service, if it is known. */
  readonly name?: string
  /** Status of the job, if it is known. */
  readonly status?: JobStatus
}

/** Follows the flow of data: for `used`, `to` is the job that used `from`; for `produced`, `from` is the job that produced `to`. */
export interface LineageEdge {
  readonly from: Urn
  readonly to: Urn
  readonly kind: 'used' | 'produced'
}

type Direction = 'upstream' | 'downstream'

/** Maximum number of concurrent queries. */
const CONCURRENCY = 8

/** Walks from node to node, breadth first. Each node is queried once, even if several paths lead to it. */
export class LineageWalk {
  readonly nodes = new Map<Urn, LineageNode>()
  readonly edges = new Map<string, LineageEdge>()
  /** Nodes with neighbours that were not followed. */
  readonly open = new Set<Urn>()
  readonly #context: Context
  readonly #limit: number
  readonly #op: OpOptions
  readonly #links = new Map<Urn, NodeLinks>()
  readonly #services = new Map<Urn, Promise<string | undefined>>()

  constructor(context: Context, start: LineageNode, limit: number, op: OpOptions) {
    this.#context = context
    this.#limit = limit
    this.#op = op
    this.nodes.set(start.id, start)
  }

  /** Follows all links in one direction, up to `depth` steps. A node is visited once, so cycles end. */
  async follow(start: Urn, direction: Direction, depth: number): Promise<void> {
    const seen = new Set<Urn>([start])
    let front: readonly Urn[] = [start]
    for (let step = 0; front.length > 0; step += 1) {
      await concurrently(front, CONCURRENCY, (id) => this.#look(id))
      const next: Urn[] = []
      for (const id of front) {
        for (const other of this.#links.get(id)?.[direction] ?? []) {
          if (!this.#connect(id, other, direction, step < depth)) continue
          if (!seen.has(other)) next.push(other)
          seen.add(other)
        }
      }
      front = next
    }
  }

  /** Returns whether the walk continues at `other`. It ends beyond `depth`, and at the limit of nodes. */
  #connect(id: Urn, other: Urn, direction: Direction, further: boolean): boolean {
    const known = this.nodes.has(other)
    if (!known && (!further || this.nodes.size >= this.#limit)) {
      this.open.add(id)
      return false
    }
    const isJob = this.nodes.get(id)?.kind === 'job'
    if (!known) this.nodes.set(other, { id: other, kind: isJob ? 'artifact' : 'job' })
    const [from, to] = direction === 'upstream' ? [other, id] : [id, other]
    const kind = isJob === (direction === 'downstream') ? 'produced' : 'used'
    this.edges.set(`${from} ${to}`, { from, to, kind })
    return further
  }

  async #look(id: Urn): Promise<void> {
    if (this.#links.has(id)) return
    const node = this.nodes.get(id)
    if (node === undefined) return
    const linksOf = node.kind === 'job' ? linksOfJob : linksOfArtifact
    const links = await linksOf(this.#context, 'lineage', id, this.#limit, this.#op)
    this.#links.set(id, links)
    const { status, service } = links
    const name = links.name ?? (service === undefined ? undefined : await this.#nameOf(service))
    this.nodes.set(id, { ...node, ...(name !== undefined && { name }), ...(status && { status }) })
  }

  /** The name is only a label, so a failure to fetch it is ignored. */
  #nameOf(service: Urn): Promise<string | undefined> {
    const asked =
      this.#services.get(service) ??
      this.#context.backend.services?.get(service, this.#op).then(
        ({ name }) => name,
        () => undefined,
      ) ??
      Promise.resolve(undefined)
    this.#services.set(service, asked)
    return asked
  }
}
