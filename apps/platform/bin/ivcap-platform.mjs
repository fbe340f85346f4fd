#!/usr/bin/env node
// The package is a private one of this workspace: the server runs from its sources, and there is nothing to build first.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const flags = ['--conditions=source', '--import', import.meta.resolve('tsx')]
const server = spawn(process.execPath, [...flags, main, ...process.argv.slice(2)], { stdio: 'inherit' })
// Ctrl-C reaches both; what is sent to this process alone is passed on
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill(signal))
server.on('exit', (code, signal) => process.exit(signal === null ? code : 1))
