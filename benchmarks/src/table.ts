import { MiB } from './benchmark.js'
import type { ContenderResult, Result } from './result.js'

export function show(result: Result): void {
  console.log(table(result).join('\n'))
}

/** Formats a result as Markdown. */
export function table(result: Result, charts = false): string[] {
  const { benchmark, title, size, rounds, goals } = result
  const data = size === undefined ? '' : ` ${size / MiB} MiB.`
  return [
    `### ${title}`,
    '',
    ...(charts ? [`![${title}](${benchmark}.svg)`, ''] : []),
    `${data} Medians of ${rounds} rounds.`.trim(),
    '',
    ...(result.along?.counts === undefined ? rows(result) : rowsOfCounts(result, result.along.counts)),
    '',
    ...goals.map(
      ({ what, limit, sense, value, met }) =>
        `- ${met ? 'reached' : '**missed**'}: ${value} (goal: ${sense} ${limit}) ${what}`,
    ),
    '',
  ]
}

function rows({ contenders, measure }: Result): string[] {
  const lines = Object.entries(contenders).map(([contender, result]) => {
    const { ms, counts = {} } = result
    const further = Object.entries(counts).map(
      ([name, { median, min, max }]) => `${median} (${min}–${max}) ${name}`,
    )
    const rest = [...further, ...memory(result)].join('; ')
    // If a count is measured, the time is not meaningful.
    if (typeof measure === 'object') return `| ${contender} | ${rest} |`
    return `| ${contender} | ${ms.median} | ${ms.min}–${ms.max} | ${rest} |`
  })
  return typeof measure === 'object'
    ? ['| | |', '|---|---|', ...lines]
    : ['| | ms | min–max | |', '|---|---:|---:|---|', ...lines]
}

/** Formats a table with a column for each count. */
function rowsOfCounts({ contenders }: Result, names: readonly string[]): string[] {
  const lines = Object.entries(contenders).map(([contender, result]) => {
    const cells = names.map((name) => {
      const count = result.counts?.[name]
      return count === undefined ? '' : `${count.median} (${count.min}–${count.max})`
    })
    return `| ${[contender, ...cells, ...memory(result)].join(' | ')} |`
  })
  const heads = [...names.map((name) => `${name}, ms`), 'memory']
  return [`| | ${heads.join(' | ')} |`, `|---|${'---:|'.repeat(heads.length)}`, ...lines]
}

const memory = ({ peakRssMiB }: ContenderResult): string[] =>
  peakRssMiB === undefined ? [] : [`${peakRssMiB} MiB peak memory`]
