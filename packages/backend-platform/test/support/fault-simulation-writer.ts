/** Writes to a deployment until it is killed. */
import { writeUntilKilled } from '@ivcap/conformance/killed-writer'
import { platformBackend } from '../../src/index.js'

const [url = '', token = ''] = process.argv.slice(2)
void writeUntilKilled(platformBackend({ url, token, stateDir: false, retryDelay: 1, idleTimeout: 500 }))
