import type { Urn } from '../../model/urn.js'
import type { LineageEdge, LineageNode } from './lineage-walk.js'

/** Maximum number of characters in a label. */
const LONGEST = 60

/** Jobs have rounded boxes. The first node has a thick border. Nodes in `open` have a dashed border. */
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

/** Keeps the last part of the URN, which distinguishes it from others. */
const shortened = (id: Urn): string => id.replace(/^urn:ivcap:/, '').replace(/^urn:file:.*\//, '')

/** Writes each character with a possible meaning in Mermaid or HTML as a Mermaid entity. Shortens long texts. */
function escaped(text: string): string {
  const chars = [...text.replace(/\s+/g, ' ')]
  const cut = chars.length > LONGEST ? [...chars.slice(0, LONGEST - 1), '…'] : chars
  return cut.map((char) => (/[\p{L}\p{N} ._:/()…-]/u.test(char) ? char : `#${char.codePointAt(0)};`)).join('')
}
