import type { Backend } from '@ivcap/core/driver'
import type { BackendCapabilities } from '../harness.js'
import type { Place } from '../support/place.js'

export type BackendPlace = Place<Backend, BackendCapabilities>
