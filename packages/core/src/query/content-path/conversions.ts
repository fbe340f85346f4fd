/** The methods that make one item of one item. */
import { Decimal } from './decimal.js'
import { fail } from './failure.js'
import { isNumber, type NumberItem, typeOf } from './items.js'
import type { Conversion, Item } from './tree.js'

const INTEGER_BITS = 32
const BIGINT_BITS = 64
const MAX_PRECISION = 1000
/** Digits that a double's text keeps on its way to a number. */
const DOUBLE_DIGITS = 15

/** Underscores between digits, and blanks around, are taken as PostgreSQL takes them. */
const WHOLE = /^[\t-\r ]*([+-]?)(0x(?:_?[\da-f])+|0o(?:_?[0-7])+|0b(?:_?[01])+|\d(?:_?\d)*)[\t-\r ]*$/i
const FRACTION =
  /^[\t-\r ]*([+-]?(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:e[+-]?\d(?:_?\d)*)?)[\t-\r ]*$/i
const HEXADECIMAL = /^[\t-\r ]*([+-]?)(0x[\da-f]+)[\t-\r ]*$/i
const TRUE = /^(?:t(?:r(?:ue?)?)?|y(?:es?)?|on|1)$/i
const FALSE = /^(?:f(?:a(?:l(?:se?)?)?)?|no?|off?|0)$/i

/** @throws FAILURE where the method can't be applied */
export function convert(method: Conversion, item: Item, args: readonly number[]): Item {
  switch (method) {
    case 'type':
      return typeOf(item)
    case 'abs':
      return numeric(item).abs()
    case 'floor':
      return numeric(item).floor()
    case 'ceiling':
      return numeric(item).negated().floor().negated()
    case 'double':
      return toDouble(item)
    case 'integer':
      return toInteger(item, INTEGER_BITS)
    case 'bigint':
      return toInteger(item, BIGINT_BITS)
    case 'number':
      return toNumber(item)
    case 'decimal':
      return toDecimal(toNumber(item), args)
    case 'boolean':
      return toBoolean(item)
    case 'string':
      return toText(item)
  }
}

function numeric(item: Item): Decimal {
  return isNumber(item) ? Decimal.from(item) : fail()
}

function toNumber(item: Item): NumberItem {
  if (isNumber(item)) return item
  const text = textOf(item)
  return wholeOf(text) ?? Decimal.parse(fractionOf(text).replaceAll('_', '')) ?? fail()
}

function toInteger(item: Item, bits: number): Decimal {
  const whole = isNumber(item) ? Decimal.from(item).rounded(0) : (wholeOf(textOf(item)) ?? fail())
  return BigInt.asIntN(bits, whole.units) === whole.units ? whole : fail()
}

function toDouble(item: Item): Item {
  const text = isNumber(item) ? String(item) : doubleIn(textOf(item))
  const double = Number(text)
  const lost = double === 0 && /^[^e]*[1-9]/i.test(text)
  if (!Number.isFinite(double) || lost) fail()
  return isNumber(item) ? item : Number(double.toPrecision(DOUBLE_DIGITS))
}

/** As C reads it: no underscores, but hexadecimal digits. */
function doubleIn(text: string): string {
  const [, sign, hexadecimal] = HEXADECIMAL.exec(text) ?? []
  return hexadecimal === undefined ? fractionOf(text) : `${sign}${Number(hexadecimal)}`
}

/** @param args precision and scale: digits in all, and after the point */
function toDecimal(number: NumberItem, [precision, scale = 0]: readonly number[]): NumberItem {
  if (precision === undefined) return number
  if (precision < 1 || precision > MAX_PRECISION || Math.abs(scale) > MAX_PRECISION) fail()
  const rounded = Decimal.from(number).rounded(scale)
  const limit = precision - scale
  const one = Decimal.of(limit < 0 ? 1n : 10n ** BigInt(limit), Math.max(-limit, 0))
  return rounded.abs().compare(one) < 0 ? rounded : fail()
}

function toBoolean(item: Item): boolean {
  if (typeof item === 'boolean') return item
  if (isNumber(item)) {
    // as text, so that 1.0 is none
    return toInteger(String(Decimal.from(item)), INTEGER_BITS).units !== 0n
  }
  const text = textOf(item)
  return TRUE.test(text) || (FALSE.test(text) ? false : fail())
}

function toText(item: Item): string {
  if (typeof item === 'boolean') return String(item)
  return isNumber(item) ? String(Decimal.from(item)) : textOf(item)
}

function wholeOf(text: string): Decimal | undefined {
  const [, sign, digits] = WHOLE.exec(text) ?? []
  if (digits === undefined) return undefined
  const units = BigInt(digits.replaceAll('_', ''))
  return Decimal.of(sign === '-' ? -units : units, 0)
}

const fractionOf = (text: string): string => FRACTION.exec(text)?.[1] ?? fail()

const textOf = (item: Item): string => (typeof item === 'string' ? item : fail())
