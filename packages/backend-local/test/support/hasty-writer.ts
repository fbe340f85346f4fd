/** Writes to a folder until it is killed, and says of retractions that they are done before they are begun. */
import { writeUntilKilled } from '@ivcap/conformance/killed-writer'
import { localBackend } from '../../src/index.js'

const { aspects, ...rest } = localBackend({ baseDir: process.argv[2] ?? '' })
const retract: typeof aspects.retract = async (id, o) => {
  setTimeout(() => void aspects.retract(id, o), 50)
}
void writeUntilKilled({ ...rest, aspects: { ...aspects, retract } })
