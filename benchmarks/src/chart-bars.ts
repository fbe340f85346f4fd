import type { TopLevelSpec } from 'vega-lite'
import { MiB } from './benchmark.js'
import { frame } from './chart-frame.js'
import type { ContenderResult, Result } from './result.js'
import { round, type Spread } from './stats.js'

const OURS = '#0b6e8f'
const PEER = '#9aa5ad'
const BAR_HEIGHT = 28

/** Draws a bar for each contender, with the spread of its rounds. On a logarithmic axis, which has no zero, it draws points. */
export function bars(result: Result): TopLevelSpec {
  const values = Object.entries(result.contenders).flatMap(([contender, one]) => {
    const shown = shownOf(one, result.measure)
    if (shown === undefined) return []
    const { median: value, min, max } = shown.spread
    return [{ contender, value, min, max, ours: /^@?ivcap\b/.test(contender), label: shown.label }]
  })
  const y = { field: 'contender', type: 'nominal', sort: null, title: null } as const
  const scale = { type: result.scale ?? 'linear', nice: true } as const
  const x = { type: 'quantitative', title: axisOf(result), scale } as const
  const color = {
    field: 'ours',
    type: 'nominal',
    scale: { domain: [true, false], range: [OURS, PEER] },
    legend: null,
  } as const
  const mark =
    result.scale === 'log'
      ? ({ type: 'point', filled: true, size: 110, opacity: 1 } as const)
      : ({ type: 'bar', height: { band: 0.6 } } as const)
  return {
    ...frame(result, measuredOf(result)),
    width: 460,
    height: { step: BAR_HEIGHT },
    data: { values },
    layer: [
      { mark, encoding: { y, x: { field: 'value', ...x }, color } },
      {
        mark: { type: 'rule', color: '#333' },
        encoding: { y, x: { field: 'min', ...x }, x2: { field: 'max' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 9, color: '#333' },
        encoding: { y, x: { field: 'max', ...x }, text: { field: 'label' } },
      },
    ],
  }
}

function shownOf(
  { ms, peakRssMiB, counts }: ContenderResult,
  measure: Result['measure'],
): { spread: Spread; label: string } | undefined {
  if (measure === 'memory') {
    if (peakRssMiB === undefined) return undefined
    return { spread: { median: peakRssMiB, min: peakRssMiB, max: peakRssMiB }, label: number(peakRssMiB) }
  }
  if (measure !== undefined) {
    const spread = counts?.[measure.count]
    return spread && { spread, label: number(spread.median) }
  }
  const memory = peakRssMiB === undefined ? '' : ` · ${Math.round(peakRssMiB)} MiB`
  return { spread: ms, label: number(ms.median) + memory }
}

function axisOf({ measure, scale }: Result): string {
  const what =
    measure === undefined ? 'milliseconds' : measure === 'memory' ? 'peak memory, MiB' : measure.count
  return scale === 'log' ? `${what}, logarithmic` : what
}

function measuredOf({ size, rounds, measure, contenders }: Result): string {
  const data = size === undefined ? '' : `${(size / MiB).toLocaleString('en')} MiB, `
  if (measure !== undefined) return `${data}${rounds} rounds`
  const memory = Object.values(contenders).some(({ peakRssMiB }) => peakRssMiB !== undefined)
  return `${data}medians of ${rounds} rounds, with the least and the most${memory ? '; MiB: peak memory' : ''}`
}

const number = (value: number): string => round(value).toLocaleString('en', { maximumFractionDigits: 3 })
