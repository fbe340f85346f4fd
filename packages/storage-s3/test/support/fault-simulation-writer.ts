/** Writes to a bucket until it is killed. */
import { writeUntilKilled } from '@ivcap/conformance/killed-writer'
import { s3Backend } from '../../src/index.js'

void writeUntilKilled(s3Backend(JSON.parse(process.argv[2] ?? '')))
