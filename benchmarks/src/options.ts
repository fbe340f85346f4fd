import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  readonly names: readonly string[]
  /** Bytes. Overrides the size of each benchmark. */
  readonly size?: number
  /** Omits contenders with a larger `x`. Overrides the limit of each benchmark. */
  readonly upTo?: number
  readonly rounds: number
  readonly dir?: string
  readonly save: boolean
  /** Measures nothing and draws the saved results again. */
  readonly redraw: boolean
}

export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      size: { type: 'string' },
      'up-to': { type: 'string' },
      rounds: { type: 'string', default: '5' },
      dir: { type: 'string' },
      save: { type: 'boolean', default: false },
      redraw: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new Error(`there is no benchmark ${unknown}; there are ${known.join(', ')}`)
  return {
    names: positionals.length > 0 ? positionals : known,
    rounds: wholeNumber('--rounds', values.rounds),
    save: values.save,
    redraw: values.redraw,
    ...(values.size !== undefined && { size: parseSize(values.size) }),
    ...(values['up-to'] !== undefined && { upTo: wholeNumber('--up-to', values['up-to']) }),
    ...(values.dir !== undefined && { dir: resolve(process.env['INIT_CWD'] ?? '.', values.dir) }),
  }
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${option} must be a whole number from 1, not ${text}`)
  return number
}

/** Parses `64MiB`, `1GiB`, or a number of bytes. */
function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d+)(KiB|MiB|GiB)?$/.exec(text) ?? []
  if (number === undefined) throw new Error(`--size must be like 64MiB or 1GiB, not ${text}`)
  return Number(number) * 1024 ** ['', 'KiB', 'MiB', 'GiB'].indexOf(unit)
}
