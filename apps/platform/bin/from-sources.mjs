// Runs this workspace from its sources, with nothing to build first: TypeScript, and the condition `source` for packages of
// this workspace alone. Installed packages never resolve to their sources. In each thread that needs it.
import { register } from 'node:module'
import { register as registerTypeScript } from 'tsx/esm/api'

registerTypeScript()
register('./source-condition.mjs', import.meta.url)
