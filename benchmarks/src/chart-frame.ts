import type { TopLevelSpec } from 'vega-lite'
import type { Result } from './result.js'

type Frame = Pick<TopLevelSpec, '$schema' | 'title' | 'background' | 'padding' | 'config'>

/** Returns the common parts of all charts: the style, and a title with what was measured, when, and on which machine. */
export function frame({ title, date, machine }: Result, measured: string): Frame {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: title,
      subtitle: [measured, `${machine}, ${date}`],
      anchor: 'start',
      fontSize: 14,
      subtitleFontSize: 12,
      subtitleColor: '#555',
      offset: 14,
    },
    background: 'white',
    padding: 12,
    config: {
      view: { stroke: null },
      axis: { grid: false, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', labelLimit: 600 },
      legend: { labelFontSize: 12, labelLimit: 400 },
      header: { labelFontSize: 13, labelFontWeight: 'bold' },
      text: { fontSize: 12 },
      font: 'Helvetica, Arial, sans-serif',
    },
  }
}
