import { expectTypeOf, it } from 'vitest'
import { pathOfWhere } from '../src/query/where/path.js'
import type { Where } from '../src/query/where/types.js'

interface Quality {
  readonly level: 'raw' | 'checked'
  readonly depth: number
  readonly tags: readonly string[]
  readonly site?: { readonly name: string; readonly position: { readonly lat: number } }
  readonly images: readonly { readonly size: number }[]
  readonly good: boolean
}

it('conditions are typed by the content', () => {
  const where: Where<Quality> = {
    level: 'raw',
    depth: { gt: 10, lte: 50 },
    tags: { in: ['coral'] },
    'site.name': { like: '%reef%' },
    'site.position.lat': { lt: 0 },
    'images.size': { gt: 1e6 },
    or: [{ good: true }, { not: { level: { eq: 'checked' } } }],
  }
  pathOfWhere(where)
  // @ts-expect-error: no such field
  const field: Where<Quality> = { dept: 10 }
  // @ts-expect-error: no such level
  const level: Where<Quality> = { level: 'row' }
  // @ts-expect-error: no text is more than a number
  const depth: Where<Quality> = { depth: { gt: '10' } }
  // @ts-expect-error: a boolean is neither more nor less
  const good: Where<Quality> = { good: { gt: true } }
  // @ts-expect-error: no text operator for numbers
  const size: Where<Quality> = { 'images.size': { startsWith: '1' } }
  // @ts-expect-error: no such field below
  const site: Where<Quality> = { 'site.nam': 'x' }
  // @ts-expect-error: no such operator
  const any: Where = { depth: { more: { than: () => 10 } } }
  for (const one of [field, level, depth, good, size, site, any]) expectTypeOf(one).not.toBeAny()
})
