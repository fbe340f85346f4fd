#!/usr/bin/env node
// The server in this very process: signals, standard output and the exit code are its own.
import { existsSync } from 'node:fs'

const built = new URL('../dist/main.js', import.meta.url)
if (existsSync(built)) {
  await import(built.href)
} else {
  await import('./from-sources.mjs')
  await import('../src/main.ts')
}
