/** Writes to a bucket until it is killed. */
import { writeUntilKilled } from '@ivcap/conformance/killed-writer'
import { gcsBackend } from '../../src/index.js'

void writeUntilKilled(gcsBackend(JSON.parse(process.argv[2] ?? '')))
