import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { IvcapError } from '@ivcap/core/driver'
import type { FunctionService } from '@ivcap/services'

/**
 * Loads the services that a module exports as `default` or `services`.
 *
 * @throws IvcapError `invalid-argument` if it cannot be loaded, or exports no services
 */
export async function servicesIn(path: string): Promise<readonly FunctionService[]> {
  const exported = await load(path)
  const services = 'default' in exported ? exported['default'] : exported['services']
  if (Array.isArray(services) && services.every(isService)) return services
  throw invalidModule(
    `${path} must export a list of services (as default, or as "services"), each with name and run`,
  )
}

async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(path)).href)
  } catch (cause) {
    throw invalidModule(
      `${path} can't be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    )
  }
}

/** `functionServices` checks the other members. */
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

function invalidModule(message: string, cause?: unknown): IvcapError {
  return new IvcapError('invalid-argument', `--services: ${message}`, { argument: 'services', cause })
}
