/** Writes to a folder until it is killed. */
import { writeUntilKilled } from '@ivcap/conformance/killed-writer'
import { localBackend } from '../../src/index.js'

void writeUntilKilled(localBackend({ baseDir: process.argv[2] ?? '' }))
