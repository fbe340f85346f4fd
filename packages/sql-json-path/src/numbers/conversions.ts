/** The methods that convert one item into one item. */

import { fail } from '../errors.js'
import { isNumber, type NumberItem, typeOf } from '../items.js'
import type { Conversion, Item } from '../tree.js'
import { Decimal } from './decimal.js'
import { type NumberText, numberIn } from './number-text.js'

const INTEGER_BITS = 32
const BIGINT_BITS = 64
const MAX_PRECISION = 1000
/** Significant digits that PostgreSQL keeps when it converts a text to a double. */
const DOUBLE_DIGITS = 15
/** Binary digits of the largest number; a longer text fails without arithmetic. */
const MAX_WHOLE_DIGITS = 450_000
const TRUE = /^(?:t(?:r(?:ue?)?)?|y(?:es?)?|on|1)$/i
const FALSE = /^(?:f(?:a(?:l(?:se?)?)?)?|no?|off?|0)$/i

/** @throws FAILURE if the method doesn't apply to the item */
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
  const number = numberIn(textOf(item)) ?? fail()
  return number.type === 'whole' ? wholeOf(number) : (Decimal.parse(number.text) ?? fail())
}

function toInteger(item: Item, bits: number): Decimal {
  const whole = isNumber(item) ? Decimal.from(item).rounded(0) : wholeOf(numberIn(textOf(item)))
  return BigInt.asIntN(bits, whole.units) === whole.units ? whole : fail()
}

function toDouble(item: Item): Item {
  const text = isNumber(item) ? String(item) : doubleIn(textOf(item))
  const double = Number(text)
  const lost = double === 0 && /^[^e]*[1-9]/i.test(text)
  if (!Number.isFinite(double) || lost) fail()
  return isNumber(item) ? item : Number(double.toPrecision(DOUBLE_DIGITS))
}

/** Reads a number like C: underscores are not allowed, hexadecimal digits are. */
function doubleIn(text: string): string {
  const number = numberIn(text) ?? fail()
  if (number.hasUnderscores) fail()
  if (number.type === 'fraction') return number.text
  const { sign, digits } = number
  if (/^0[ob]/i.test(digits)) fail()
  return `${sign}${/^0x/i.test(digits) ? Number(digits) : digits}`
}

/** @param args precision and scale: total digits, and digits after the point */
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
    const number = Decimal.from(item)
    // 1.0 is not a boolean
    return number.scale === 0 ? toInteger(number, INTEGER_BITS).units !== 0n : fail()
  }
  const text = textOf(item)
  return TRUE.test(text) || (FALSE.test(text) ? false : fail())
}

function toText(item: Item): string {
  if (typeof item === 'boolean') return String(item)
  return isNumber(item) ? String(Decimal.from(item)) : textOf(item)
}

/** @throws FAILURE if it is not a whole number, or too large */
function wholeOf(number: NumberText | undefined): Decimal {
  if (number?.type !== 'whole') return fail()
  const [, prefix = '', digits = ''] = /^(0[xob])?0*(.*)$/is.exec(number.digits) ?? []
  if (digits.length > MAX_WHOLE_DIGITS) fail()
  if (prefix === '') return Decimal.parse(`${number.sign}${digits === '' ? '0' : digits}`) ?? fail()
  const units = BigInt(`${prefix}0${digits}`)
  return Decimal.of(number.sign === '-' ? -units : units, 0)
}

const textOf = (item: Item): string => (typeof item === 'string' ? item : fail())
