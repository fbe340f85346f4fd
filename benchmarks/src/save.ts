import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.js'
import type { Result } from './result.js'
import { table } from './table.js'

const folder = fileURLToPath(new URL('../results/', import.meta.url))

/** Draws all saved results again, and rewrites their page. */
export async function redraw(): Promise<void> {
  for (const result of await kept()) {
    await writeFile(join(folder, `${result.benchmark}.svg`), `${await chart(result)}\n`)
  }
  await writeFile(join(folder, 'README.md'), await page())
}

/** Saves a result and its chart, and rewrites the page of all saved results. */
export async function save(result: Result): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${result.benchmark}.json`), `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(join(folder, `${result.benchmark}.svg`), `${await chart(result)}\n`)
  await writeFile(join(folder, 'README.md'), await page())
}

async function kept(): Promise<readonly Result[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    files.map(async (name): Promise<Result> => JSON.parse(await readFile(join(folder, name), 'utf8'))),
  )
}

async function page(): Promise<string> {
  const results = await kept()
  const machines = [...new Set(results.map((result) => `${result.machine} (${result.date})`))]
  const head = [
    '# Figures',
    '',
    'Written by `npm run bench -- --save`.',
    '',
    ...machines.map((machine) => `- ${machine}`),
    '',
  ]
  return `${[...head, ...results.flatMap((result) => table(result, true))].join('\n').trimEnd()}\n`
}
