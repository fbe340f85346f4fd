import type { Urn } from '../../model/urn.js'
import type { LineageEdge, LineageNode } from './lineage-walk.js'

/** Characters of a label. */
const LONGEST = 60

/** Jobs are rounded; the first node is emphasised; what has more behind it is dashed. */
export function mermaid(
  nodes: readonly LineageNode[],
  edges: readonly LineageEdge[],
  open: readonly Urn[],
): string {
  const keys = new Map(nodes.map(({ id }, i) => [id, `n${i}`]))
  const keyOf = (id: Urn): string => keys.get(id) ?? ''
  return [
    'flowchart LR',
    ...nodes.map((node) => `  ${keyOf(node.id)}${shape(node)}`),
    ...edges.map(({ from, to }) => `  ${keyOf(from)} --> ${keyOf(to)}`),
    '  style n0 stroke-width:3px',
    ...open.map((id) => `  style ${keyOf(id)} stroke-dasharray:4`),
    '',
  ].join('\n')
}

function shape({ id, kind, name, status }: LineageNode): string {
  const failed = status === 'failed' || status === 'error' ? ` (${status})` : ''
  const label = escaped(`${name ?? shortened(id)}${failed}`)
  return kind === 'job' ? `(["${label}"])` : `["${label}"]`
}

/** Its last part is the one that tells it from others. */
const shortened = (id: Urn): string => id.replace(/^urn:ivcap:/, '').replace(/^urn:file:.*\//, '')

/** Entities, as Mermaid writes them, for all that may mean something to it or to HTML. */
function escaped(text: string): string {
  const chars = [...text.replace(/\s+/g, ' ')]
  const cut = chars.length > LONGEST ? [...chars.slice(0, LONGEST - 1), '…'] : chars
  return cut.map((char) => (/[\p{L}\p{N} ._:/()…-]/u.test(char) ? char : `#${char.codePointAt(0)};`)).join('')
}
