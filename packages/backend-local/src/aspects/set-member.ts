import { isJsonObject } from '@ivcap/core/driver'
import { parseJson } from '@ivcap/core/internal'

/**
 * Sets one member of the outermost object in `text` to a string. All other bytes stay unchanged: numbers, unknown keys, order,
 * white space and a byte order mark. If several members have that name, the last one is set, which is the one that `JSON.parse`
 * returns. Returns undefined if `text` is not a JSON object.
 */
export function setMember(text: string, name: string, value: string): string | undefined {
  const members = membersOf(text)
  if (members === undefined) return undefined
  const json = JSON.stringify(value)
  const found = members.list.filter((member) => member.name === name).at(-1)
  if (found !== undefined) return text.slice(0, found.start) + json + text.slice(found.end)
  const last = members.list.at(-1)
  if (last === undefined) {
    return `${text.slice(0, members.open)}${JSON.stringify(name)}: ${json}${text.slice(members.open)}`
  }
  // format the new member like the last one: the same white space before its key and around its colon
  const before = text.slice(last.begin, last.key)
  const colon = text.slice(last.keyEnd, last.start)
  return `${text.slice(0, last.end)},${before}${JSON.stringify(name)}${colon}${json}${text.slice(last.end)}`
}

interface Member {
  readonly name: string
  /** Position after the preceding comma or bracket. */
  readonly begin: number
  readonly key: number
  readonly keyEnd: number
  /** Start of the value. */
  readonly start: number
  readonly end: number
}

function membersOf(text: string): { readonly open: number; readonly list: readonly Member[] } | undefined {
  if (!isJsonObject(parseJson(text.replace(/^\ufeff/, '')))) return undefined
  // the text is valid JSON, so the code below does not check its syntax
  const open = text.indexOf('{') + 1
  const list: Member[] = []
  for (let begin = open; ; ) {
    const key = blanksEnd(text, begin)
    if (text[key] !== '"') return { open, list }
    const keyEnd = stringEnd(text, key)
    const name: unknown = JSON.parse(text.slice(key, keyEnd))
    const start = blanksEnd(text, blanksEnd(text, keyEnd) + 1)
    const end = valueEnd(text, start)
    list.push({ name: String(name), begin, key, keyEnd, start, end })
    const next = blanksEnd(text, end)
    if (text[next] !== ',') return { open, list }
    begin = next + 1
  }
}

function blanksEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++
  return at
}

function stringEnd(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function valueEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; ) {
    const c = text[at] ?? ''
    if (c === '"') {
      at = stringEnd(text, at)
      if (depth === 0) return at
      continue
    }
    if (depth === 0 && ' \t\r\n,}]'.includes(c)) return at
    if (c === '{' || c === '[') depth++
    if (c === '}' || c === ']') depth--
    at++
    if (depth === 0 && (c === '}' || c === ']')) return at
  }
  return text.length
}
