import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Result } from './result.js'
import { round } from './stats.js'

interface Bar {
  readonly contender: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly ours: boolean
  readonly label: string
}

const OURS = '#0b6e8f'
const PEER = '#9aa5ad'
const BAR_HEIGHT = 26

/** A result as an SVG: a bar for each contender, with the spread of its rounds. */
export async function chart(result: Result): Promise<string> {
  const { spec } = compile(specOf(result))
  return await new View(parse(spec), { renderer: 'none' }).toSVG()
}

function specOf(result: Result): TopLevelSpec {
  const values = barsOf(result)
  const y = {
    field: 'contender',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { labelLimit: 320 },
  } as const
  const scale = { type: result.scale ?? 'linear', nice: true } as const
  const title = result.measure === 'memory' ? 'peak memory, MiB' : 'milliseconds, median'
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: result.title, subtitle: subtitleOf(result), anchor: 'start', subtitleColor: '#555' },
    background: 'white',
    padding: 12,
    width: 460,
    height: { step: BAR_HEIGHT },
    data: { values: [...values] },
    layer: [
      {
        mark: { type: 'bar', height: { band: 0.6 } },
        encoding: {
          y,
          x: { field: 'value', type: 'quantitative', title, scale },
          color: {
            field: 'ours',
            type: 'nominal',
            scale: { domain: [true, false], range: [OURS, PEER] },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'rule', color: '#333' },
        encoding: { y, x: { field: 'min', type: 'quantitative', scale }, x2: { field: 'max' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: '#333' },
        encoding: { y, x: { field: 'max', type: 'quantitative', scale }, text: { field: 'label' } },
      },
    ],
    config: { view: { stroke: null }, axis: { grid: false }, font: 'Helvetica, Arial, sans-serif' },
  }
}

function barsOf({ contenders, measure }: Result): readonly Bar[] {
  return Object.entries(contenders).flatMap(([contender, { ms, peakRssMiB }]) => {
    const ours = contender.startsWith('ivcap') || contender.startsWith('@ivcap')
    if (measure === 'memory') {
      if (peakRssMiB === undefined) return []
      const value = peakRssMiB
      return [{ contender, value, min: value, max: value, ours, label: `${round(value)}` }]
    }
    const memory = peakRssMiB === undefined ? '' : ` · ${Math.round(peakRssMiB)} MiB`
    return [{ contender, value: ms.median, min: ms.min, max: ms.max, ours, label: `${ms.median}${memory}` }]
  })
}

function subtitleOf({ size, rounds, machine, date }: Result): string[] {
  const data = size === undefined ? '' : `${size / 1024 ** 2} MiB, `
  return [`${data}${rounds} rounds, ${date}; the line is min to max, MiB are peak memory`, machine]
}
