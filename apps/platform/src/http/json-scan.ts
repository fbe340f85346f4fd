import { JSON_LIMITS, nextTurn } from '@ivcap/core/internal'
import { badRequest } from './errors.js'

/** Bytes that are scanned before the scan yields to other requests. */
const SLICE = 128 * 1024
/** Integers of up to SAFE_DIGITS digits are always kept; integers of more than MAX_DIGITS are rejected unchecked. */
const SAFE_DIGITS = 15
const MAX_DIGITS = 400
/** Maximum characters of a key or number in an error text. */
const SHOWN = 60

const [QUOTE, COMMA, COLON, BACKSLASH, MINUS] = [0x22, 0x2c, 0x3a, 0x5c, 0x2d]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/** An open object or array. */
interface Level {
  readonly isList: boolean
  /** Index of the current item. */
  index: number
  /** Position of the current member's key, without its quotes. */
  key: readonly [start: number, end: number]
}

/**
 * Checks the limits of a JSON text before it is parsed. The scan works in slices, because `JSON.parse` blocks the event loop
 * for a time that grows with the number of members. Does not check the syntax: the parser does.
 *
 * @throws IvcapError with status 413 if it has too many members or items; 400 if it is nested too deeply, or has a number that
 * a response would not return unchanged
 */
export async function checkJson(bytes: Uint8Array): Promise<void> {
  const levels: Level[] = []
  const { depth, members, items } = JSON_LIMITS
  let [memberCount, itemCount] = [0, 0]
  let text: readonly [start: number, end: number] = [0, 0]
  let pauseAt = SLICE
  for (let at = 0; at < bytes.length; at++) {
    if (at >= pauseAt) {
      pauseAt = at + SLICE
      await nextTurn()
    }
    const byte = bytes[at] ?? 0
    const level = levels.at(-1)
    if (byte === QUOTE) {
      text = [at + 1, endOfText(bytes, at + 1)]
      at = text[1]
    } else if (byte === COMMA) {
      if (level?.isList) {
        level.index += 1
        itemCount += 1
      }
    } else if (byte === COLON) {
      if (level !== undefined) level.key = text
      memberCount += 1
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (levels.length >= depth)
        throw badRequest('body', `the body is nested more than ${depth} levels deep`)
      levels.push({ isList: byte === OPEN_LIST, index: 0, key: [0, 0] })
      if (byte === OPEN_LIST) itemCount += 1
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) levels.pop()
    else if (byte === MINUS || isDigit(byte)) {
      const end = endOfNumber(bytes, at)
      if (end - at > SAFE_DIGITS) checkNumber(bytes, at, end, levels)
      at = end - 1
    }
    if (memberCount > members) throw tooMany(members, 'members of objects')
    if (itemCount > items) throw tooMany(items, 'items of arrays')
  }
}

/** Returns the position of the closing quote. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start
  for (let byte = bytes[at]; byte !== undefined && byte !== QUOTE; byte = bytes[at]) {
    at += byte === BACKSLASH ? 2 : 1
  }
  return at
}

function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = start + 1
  // digits, a point, an exponent with its sign
  for (
    let byte = bytes[at] ?? 0;
    isDigit(byte) || '.eE+-'.includes(String.fromCharCode(byte));
    byte = bytes[at] ?? 0
  )
    at++
  return at
}

function checkNumber(bytes: Uint8Array, start: number, end: number, levels: readonly Level[]): void {
  const text = textOf(bytes, start, end)
  // an integer, also one with a fraction of zeros
  const [, digits] = /^-?(\d+)(?:\.0*)?$/.exec(text) ?? []
  const isRepresentable = digits === undefined ? Number.isFinite(Number(text)) : isKept(digits)
  if (isRepresentable) return
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
  const where = levels.map(({ isList, index, key: [from, to] }) =>
    isList ? `[${index}]` : `.${textOf(bytes, from, Math.min(to, from + SHOWN))}`,
  )
  throw badRequest(
    'body',
    `the body has the number ${shown} at body${where.join('')}, which would be changed: a double can't hold it; send it as a string`,
  )
}

/** True if a response would contain the same integer. It has the shortest text of the double, which above 2^53 ends in zeros. */
function isKept(digits: string): boolean {
  if (digits.length > MAX_DIGITS) return false
  const [, first = '', rest = '', exponent] =
    /^(\d+)(?:\.(\d+))?(?:e\+(\d+))?$/.exec(String(Number(digits))) ?? []
  const answered = exponent === undefined ? first : (first + rest).padEnd(Number(exponent) + 1, '0')
  return answered === digits
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  new TextDecoder().decode(bytes.subarray(start, end))

function tooMany(limit: number, what: string) {
  return badRequest('body', `the body has more than ${limit} ${what}: store large data as an artifact`, 413)
}
