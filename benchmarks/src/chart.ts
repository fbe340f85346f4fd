import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { bars } from './chart-bars.js'
import { lines } from './chart-lines.js'
import type { Result } from './result.js'

/** Draws a result as an SVG. */
export async function chart(result: Result): Promise<string> {
  const { spec } = compile(result.along === undefined ? bars(result) : lines(result, result.along))
  return await new View(parse(spec), { renderer: 'none' }).toSVG()
}
