import { show } from '../../model/urn.js'
import { keyword, type Reader } from './reader.js'
import { leftOut, syntaxError } from './refusal.js'
import type { Conversion, Path, Predicate, Step, Subscript } from './tree.js'

/** How the parts inside brackets are read. */
export interface Inside {
  readonly value: (reader: Reader) => Path
  readonly condition: (reader: Reader) => Predicate
}

const CONVERSIONS: readonly Conversion[] = [
  'abs',
  'bigint',
  'boolean',
  'ceiling',
  'decimal',
  'double',
  'floor',
  'integer',
  'number',
  'string',
  'type',
]
const TIMES = ['datetime', 'date', 'time', 'time_tz', 'timestamp', 'timestamp_tz']
const MAX_INTEGER = 2 ** 31 - 1

/** All that follows a value: `.key`, `.*`, `.**`, `.method()`, `[…]`, `? (…)`. */
export function accessors(reader: Reader, inside: Inside): Path {
  const steps: Step[] = []
  for (;;) {
    if (reader.accept('.')) steps.push(member(reader))
    else if (reader.accept('[')) steps.push(subscript(reader, inside))
    else if (reader.accept('?')) steps.push(filter(reader, inside))
    else return steps
  }
}

function member(reader: Reader): Step {
  if (reader.accept('*')) return { type: 'anyKey' }
  if (reader.accept('**')) return descent(reader)
  const { token, following } = reader
  if (token.type !== 'word' && token.type !== 'text') throw reader.unexpected('a key, *, ** or a method')
  reader.take()
  if (token.type === 'text' || following.type !== 'symbol' || following.value !== '(')
    return { type: 'key', key: token.value }
  return method(reader, keyword(token) ?? '')
}

function method(reader: Reader, name: string): Step {
  if (TIMES.includes(name)) throw leftOut(`.${name}()`, 'compare times as texts')
  const conversion = CONVERSIONS.find((known) => known === name)
  if (conversion === undefined && name !== 'size' && name !== 'keyvalue')
    throw reader.unexpected(`no parenthesis, as ${show(name)} is no method,`)
  reader.expect('(')
  const args = name === 'decimal' ? decimalArguments(reader) : []
  reader.expect(')')
  if (name === 'size' || name === 'keyvalue') return { type: name }
  return { type: 'convert', method: conversion ?? 'type', args }
}

/** Precision and scale, both optional. */
function decimalArguments(reader: Reader): readonly number[] {
  if (reader.at(')')) return []
  const precision = signedInteger(reader)
  return reader.accept(',') ? [precision, signedInteger(reader)] : [precision]
}

function signedInteger(reader: Reader): number {
  if (reader.accept('-')) return -integer(reader)
  reader.accept('+')
  return integer(reader)
}

/** `.**{2}`, `.**{1 to last}`: levels below; without braces all of them. */
function descent(reader: Reader): Step {
  if (!reader.accept('{')) return { type: 'descend', first: 0, last: Number.POSITIVE_INFINITY }
  const first = level(reader)
  const last = reader.accept('to') ? level(reader) : first
  reader.expect('}')
  return { type: 'descend', first, last }
}

const level = (reader: Reader): number =>
  reader.accept('last') ? Number.POSITIVE_INFINITY : integer(reader, ' or last')

function integer(reader: Reader, otherwise = ''): number {
  const { type, value, at } = reader.token
  if (type !== 'number' || !/^(0[box])?[\da-f]+$/i.test(value) || /^\d+e/i.test(value))
    throw reader.unexpected(`a whole number${otherwise}`)
  reader.take()
  const number = Number(value)
  if (number > MAX_INTEGER) throw syntaxError(at, `at most ${MAX_INTEGER} is allowed here`)
  return number
}

function subscript(reader: Reader, { value }: Inside): Step {
  if (reader.at('*')) {
    reader.take()
    reader.expect(']')
    return { type: 'anyItem' }
  }
  reader.subscripts += 1
  const subscripts: Subscript[] = []
  do {
    const from = value(reader)
    subscripts.push(reader.accept('to') ? { from, to: value(reader) } : { from })
  } while (reader.accept(','))
  reader.subscripts -= 1
  reader.expect(']')
  return { type: 'index', subscripts }
}

function filter(reader: Reader, { condition }: Inside): Step {
  reader.expect('(')
  reader.filters += 1
  const step: Step = { type: 'filter', condition: condition(reader) }
  reader.filters -= 1
  reader.expect(')')
  return step
}
