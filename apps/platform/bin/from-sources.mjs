// Runs this workspace from its sources, with nothing to build first: TypeScript, and the condition `source` for packages of
// this workspace alone. Installed packages never resolve to their sources.
import { register } from 'node:module'
import 'tsx'

register('./source-condition.mjs', import.meta.url)
