import type { JsonObject } from '@ivcap/core/driver'
import { isJsonObject } from '@ivcap/core/driver'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { add, allAspects, aspectQuery, draft, ENTITY, SCHEMA, update } from '../support/aspects.js'
import type { BackendPlace } from './place.js'

/** JSON content is returned as it was stored. */
export function aspectContent(place: BackendPlace): void {
  it.each<[string, string]>([
    ['Unicode', '{"ü":"Grüße 珊瑚 🐠","\\u2028":"\\u2029 \\u0007 \\u200b","e\\u0301":"é"}'],
    ['keys that JavaScript knows', '{"__proto__":{"a":1},"constructor":"x","toString":null,"":"empty"}'],
    [
      'numbers',
      '{"big":1.7976931348623157e308,"small":5e-324,"exact":9007199254740993,"third":0.3333333333333333}',
    ],
    ['empty things', '{"a":[],"o":{},"s":"","n":null,"f":false,"z":0,"nested":[[],[{}]]}'],
    [
      'keys that look like ours',
      '{"$id":1,"valid_to":"2020-01-01","entity":"urn:x:y","$entityx":1,"id":"x"}',
    ],
    ['order of a list', '{"l":[3,1,2,[null,"b","a"]]}'],
    ['an SQL quotation', `{"q":"'; DROP TABLE aspects; --"}`],
    ['depth', `{"d":${'['.repeat(150)}${']'.repeat(150)}}`],
    ['a long text', JSON.stringify({ t: 'ab\n'.repeat(30_000) })],
  ])('%s', async (_, text) => {
    const content = parsed(text)
    const { id } = await add(place.at, content)
    const record = await place.at.aspects.get(id, {})
    expect(record).toMatchObject({ id, entity: ENTITY, schema: SCHEMA })
    expect(plain(record.content)).toStrictEqual(plain(draft(content).content))
    const [listed] = await allAspects(place.at, { entity: ENTITY })
    expect(plain(listed?.content)).toStrictEqual(plain(draft(content).content))
  })

  // known failure: prototype-pollution
  it('that names prototypes changes none', async () => {
    const evil =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"o":{"__proto__":{"polluted":1}}}'
    const { id } = await update(place.at, parsed(evil))
    const { content } = await place.at.aspects.get(id, {})
    const [listed] = await allAspects(place.at, { entity: ENTITY, contentPath: '$.o' })
    for (const one of [{}, content, content?.['o'], listed?.content, listed?.content?.['o']]) {
      expect(Reflect.get(Object(one), 'polluted')).toBeUndefined()
    }
    expect(plain(content)).toStrictEqual(plain(draft(parsed(evil)).content))
  })

  // known failure: prototype-pollution, large-numbers
  it('any JSON object', async () => {
    // No NUL and no lone surrogate: databases refuse them in text.
    const text = fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\0', ''))
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        text,
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(text, tie('any'), { maxKeys: 4 }),
      ),
    })).any
    const object = fc.dictionary(text, value, { maxKeys: 6 })
    await fc.assert(
      fc.asyncProperty(object, async (random) => {
        const { $schema: _, $entity: __, ...content } = parsed(JSON.stringify(random))
        const record = await update(place.at, content)
        expect(plain(record.content)).toStrictEqual(plain(draft(content).content))
      }),
      { numRuns: 30 },
    )
  })

  it('of an entity and a schema with odd characters', async () => {
    const of = { entity: 'urn:example:a/b%2F..:ü?x=1#y', schema: 'urn:example:schema:S*[x]_%25~/../z.1' }
    await add(place.at, { n: 1 }, of)
    await add(place.at, { n: 2 }, { ...of, entity: of.entity.toUpperCase().replace('URN', 'urn') })
    expect(await allAspects(place.at, { entity: of.entity })).toMatchObject([{ ...of, content: { n: 1 } }])
  })

  it('of an entity as long as an address may be', async () => {
    const of = {
      entity: `https://example.org/${'long/'.repeat(380)}`,
      schema: `urn:example:${'s'.repeat(400)}`,
    }
    await update(place.at, { n: 1 }, of)
    expect(await allAspects(place.at, of)).toMatchObject([{ ...of, content: { n: 1 } }])
  })

  it('is left out where a list does without', async () => {
    const { content: _, ...rest } = await add(place.at, { n: 1 })
    const { items } = await place.at.aspects.list(aspectQuery({ includeContent: false }), {})
    expect(items).toHaveLength(1)
    expect(items[0]).not.toHaveProperty('content')
    expect(items[0]).toMatchObject({ id: rest.id, entity: ENTITY, schema: SCHEMA, validFrom: rest.validFrom })
  })
}

function parsed(text: string): JsonObject {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new Error(`not an object: ${text}`)
  return value
}

/** Converts a value to JSON text and back. A key `__proto__` counts, the order of keys does not, and -0 becomes 0, as in JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, sorted) ?? 'null')
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}
