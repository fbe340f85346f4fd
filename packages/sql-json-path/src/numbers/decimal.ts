/**
 * Exact decimal numbers with the scales of PostgreSQL's `numeric`. The scale determines the digits of a quotient, and the trailing
 * zeros of a text.
 */
import { fail } from '../errors.js'

export type Operator = '+' | '-' | '*' | '/' | '%'

/** Maximum digits before and after the point, as in PostgreSQL. */
const MAX_DIGITS = 131_072
const MAX_SCALE = 16_383
/** Minimum significant digits of a quotient, and its maximum digits after the point. */
const MIN_QUOTIENT_DIGITS = 16
const MAX_QUOTIENT_SCALE = 1000
/** PostgreSQL stores numbers as digits of base 10⁴, and computes the scale of a quotient from these digits. */
const BASE_DIGITS = 4
/** Bits that hold more than one digit of that base. */
const LEADING_BITS = 64

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i

export class Decimal {
  private constructor(
    /** The value times ten to the scale. */
    readonly units: bigint,
    /** Digits after the point. */
    readonly scale: number,
  ) {}

  /** @throws FAILURE if it exceeds the range of `numeric` */
  static of(units: bigint, scale: number): Decimal {
    const kept = Math.min(scale, MAX_SCALE)
    const value = kept === scale ? units : divideRounded(units, 10n ** BigInt(scale - kept))
    if (bitLength(value) > (MAX_DIGITS + kept) * Math.log2(10)) fail()
    return new Decimal(value, kept)
  }

  /** Parses a number as in JSON or a path. Returns undefined if the text is not a number, or exceeds the range of `numeric`. */
  static parse(text: string): Decimal | undefined {
    const [all, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
    if (all === undefined || `${whole}${fraction}` === '') return undefined
    const shift = Number(exponent) - fraction.length
    if (shift > MAX_DIGITS || -shift > MAX_SCALE) return undefined
    const significant = `${whole}${fraction}`.replace(/^0+/, '')
    // checked before BigInt parses the digits, which takes more than linear time
    if (significant.length > MAX_DIGITS + MAX_SCALE) return undefined
    const digits = BigInt(significant) * (sign === '-' ? -1n : 1n)
    const units = shift > 0 ? digits * 10n ** BigInt(shift) : digits
    return bitLength(units) > MAX_DIGITS * Math.log2(10) ? undefined : new Decimal(units, Math.max(-shift, 0))
  }

  /** The value of a number of parsed JSON. */
  static from(value: number | Decimal): Decimal {
    if (typeof value !== 'number') return value
    if (Number.isSafeInteger(value)) return new Decimal(BigInt(value), 0)
    return Decimal.parse(String(value)) ?? new Decimal(0n, 0)
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale)
    return Decimal.of(this.unitsAt(scale) + other.unitsAt(scale), scale)
  }

  times(other: Decimal): Decimal {
    return Decimal.of(this.units * other.units, this.scale + other.scale)
  }

  dividedBy(divisor: Decimal): Decimal {
    if (divisor.units === 0n) fail()
    const scale = quotientScale(this, divisor)
    const shift = scale + divisor.scale - this.scale
    const units = divideRounded(
      shift < 0 ? this.units : this.units * 10n ** BigInt(shift),
      shift < 0 ? divisor.units * 10n ** BigInt(-shift) : divisor.units,
    )
    return Decimal.of(units, scale)
  }

  modulo(divisor: Decimal): Decimal {
    if (divisor.units === 0n) fail()
    const scale = Math.max(this.scale, divisor.scale)
    return Decimal.of(this.unitsAt(scale) % divisor.unitsAt(scale), scale)
  }

  negated(): Decimal {
    return new Decimal(-this.units, this.scale)
  }

  abs(): Decimal {
    return this.units < 0n ? this.negated() : this
  }

  floor(): Decimal {
    const unit = 10n ** BigInt(this.scale)
    const whole = this.units / unit
    return new Decimal(this.units < whole * unit ? whole - 1n : whole, 0)
  }

  /** Rounds half away from zero; a negative number of digits rounds to tens, hundreds… */
  rounded(digits: number): Decimal {
    if (digits >= this.scale) return Decimal.of(this.unitsAt(digits), digits)
    const units = divideRounded(this.units, 10n ** BigInt(this.scale - digits))
    return digits < 0 ? Decimal.of(units * 10n ** BigInt(-digits), 0) : new Decimal(units, digits)
  }

  /** Rounds towards zero. */
  truncated(): bigint {
    return this.units / 10n ** BigInt(this.scale)
  }

  compare(other: Decimal): number {
    const scale = Math.max(this.scale, other.scale)
    const [a, b] = [this.unitsAt(scale), other.unitsAt(scale)]
    return a < b ? -1 : a > b ? 1 : 0
  }

  /** Number of 64-bit words. The time of a calculation is proportional to it. */
  get words(): number {
    return bitLength(this.units) >> 6
  }

  toString(): string {
    const digits = String(this.abs().units).padStart(this.scale + 1, '0')
    const point = digits.length - this.scale
    const fraction = this.scale === 0 ? '' : `.${digits.slice(point)}`
    return `${this.units < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`
  }

  private unitsAt(scale: number): bigint {
    return this.units * 10n ** BigInt(scale - this.scale)
  }
}

/** @throws FAILURE for a division by zero, or if the result exceeds the range of `numeric` */
export function calculate(operator: Operator, a: Decimal, b: Decimal): Decimal {
  switch (operator) {
    case '+':
      return a.plus(b)
    case '-':
      return a.plus(b.negated())
    case '*':
      return a.times(b)
    case '/':
      return a.dividedBy(b)
    case '%':
      return a.modulo(b)
  }
}

/** Rounds half away from zero. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const rest = (dividend - quotient * divisor) * 2n
  if (magnitude(rest) < magnitude(divisor)) return quotient
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n
}

/** Returns enough digits after the point for 16 significant ones, and at least as many as each of the two numbers has. */
function quotientScale(dividend: Decimal, divisor: Decimal): number {
  const [a, b] = [leadingDigit(dividend), leadingDigit(divisor)]
  const weight = a.weight - b.weight - (a.digit <= b.digit ? 1 : 0)
  const scale = Math.max(MIN_QUOTIENT_DIGITS - weight * BASE_DIGITS, dividend.scale, divisor.scale)
  return Math.min(scale, MAX_QUOTIENT_SCALE)
}

/** Returns the first digit of base 10⁴ that is not zero, and its exponent. */
function leadingDigit({ units, scale }: Decimal): { digit: number; weight: number } {
  if (units === 0n) return { digit: 0, weight: 0 }
  // cut off the least significant digits first: converting all digits to a text is slow
  const extra = Math.max(0, Math.floor((bitLength(units) - LEADING_BITS) * Math.log10(2)))
  const digits = String(magnitude(units) / 10n ** BigInt(extra))
  const exponent = digits.length + extra - scale - 1
  const weight = Math.floor(exponent / BASE_DIGITS)
  const length = exponent - weight * BASE_DIGITS + 1
  return { digit: Number(digits.slice(0, length).padEnd(length, '0')), weight }
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

const bitLength = (value: bigint): number => magnitude(value).toString(16).length * 4
