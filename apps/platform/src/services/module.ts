import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { IvcapError } from '@ivcap/core/driver'
import type { FunctionService } from '@ivcap/services'

/**
 * The functions that a module exports as `default` or `services`.
 *
 * @throws IvcapError `invalid-argument` when it can't be loaded, or exports something else
 */
export async function servicesIn(path: string): Promise<readonly FunctionService[]> {
  const exported = await load(path)
  const services = 'default' in exported ? exported['default'] : exported['services']
  if (Array.isArray(services) && services.every(isService)) return services
  throw wrong(`${path} must export a list of services (as default, or as "services"), each with name and run`)
}

async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(path)).href)
  } catch (cause) {
    throw wrong(`${path} can't be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

/** The rest of a definition is checked where it is used. */
function isService(value: unknown): value is FunctionService {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'run' in value &&
    typeof value.run === 'function'
  )
}

function wrong(message: string, cause?: unknown): IvcapError {
  return new IvcapError('invalid-argument', `--services: ${message}`, { argument: 'services', cause })
}
