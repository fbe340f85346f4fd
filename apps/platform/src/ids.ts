import { aspectUrn, isUrn, type Urn } from '@ivcap/core/driver'
import { artifactUuid, aspectUuid, jobUrn, serviceUrn } from '@ivcap/core/internal'
import { notFound } from './http/errors.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The uuid of an artifact, from `urn:ivcap:artifact:<uuid>` or the bare uuid. Any other id fails with `not-found`, including
 * `urn:file:…`: clients must not address files of the server.
 */
export function uuidOf(id = ''): string {
  const uuid = UUID.test(id) ? id.toLowerCase() : artifactUuid(id)
  if (uuid !== undefined) return uuid
  throw notFound(id, `There is no artifact ${id} here: ids are urn:ivcap:artifact:<uuid>`)
}

/** The URN of an aspect, from `urn:ivcap:aspect:<uuid>` or the bare uuid. */
export function aspectIdOf(id = ''): Urn {
  const uuid = UUID.test(id) ? id : aspectUuid(id)
  if (uuid !== undefined) return aspectUrn(uuid)
  throw notFound(id, `There is no aspect ${id} here: ids are urn:ivcap:aspect:<uuid>`)
}

/** The URN of a service, from any URN or the bare uuid. */
export function serviceIdOf(id = ''): Urn {
  if (UUID.test(id)) return serviceUrn(id)
  if (isUrn(id)) return id
  throw notFound(id, `There is no service ${id} here: ids are urn:ivcap:service:<uuid>`)
}

/** The URN of a job, from any URN or the bare uuid. */
export function jobIdOf(id = ''): Urn {
  if (UUID.test(id)) return jobUrn(id)
  if (isUrn(id)) return id
  throw notFound(id, `There is no job ${id} here: ids are urn:ivcap:job:<uuid>`)
}
