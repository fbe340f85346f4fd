import type { TopLevelSpec } from 'vega-lite'
import type { Chart } from './benchmark.js'
import { frame } from './chart-frame.js'
import type { Result } from './result.js'

/** Draws values that grow with size: a line for each series. With `counts`, a panel for each series with a line for each count. */
export function lines(result: Result, { x: along, counts }: NonNullable<Chart['along']>): TopLevelSpec {
  const values = Object.values(result.contenders).flatMap(({ at, ms, peakRssMiB, counts: own = {} }) => {
    if (at === undefined) return []
    const { series, x } = at
    if (counts !== undefined)
      return counts.map((line) => ({ panel: series, line, x, value: own[line]?.median }))
    const value = result.measure === 'memory' ? peakRssMiB : ms.median
    return [{ panel: '', line: series, x, value }]
  })
  const lineNames = [...new Set(values.map(({ line }) => line))]
  const panels = [...new Set(values.map(({ panel }) => panel))]
  const xs = [...new Set(values.map(({ x }) => x))].sort((a, b) => a - b)
  const what = result.measure === 'memory' ? 'peak memory, MiB' : 'milliseconds'
  return {
    ...frame(result, `medians of ${result.rounds} rounds`),
    data: { values },
    spacing: 48,
    facet: { column: { field: 'panel', type: 'nominal', title: null, sort: panels } },
    spec: {
      width: counts === undefined ? 460 : 300,
      height: 280,
      mark: { type: 'line', point: { size: 50, filled: true }, strokeWidth: 2 },
      encoding: {
        x: {
          field: 'x',
          type: 'quantitative',
          title: along,
          scale: { type: 'log', nice: false, padding: 12 },
          axis: { values: xs, format: ',' },
        },
        y: {
          field: 'value',
          type: 'quantitative',
          title: result.scale === 'log' ? `${what}, logarithmic` : what,
          scale: { type: result.scale ?? 'linear' },
          axis: {
            grid: true,
            gridColor: '#eee',
            ...(result.scale === 'log' && { format: '~g', tickCount: 6 }),
          },
        },
        color: {
          field: 'line',
          type: 'nominal',
          title: null,
          sort: lineNames,
          scale: { scheme: 'dark2' },
          legend: { orient: 'bottom', columns: counts === undefined ? 1 : 2, symbolStrokeWidth: 3 },
        },
      },
    },
  }
}
