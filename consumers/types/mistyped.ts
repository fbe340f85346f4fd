import type { Ivcap } from '@ivcap/core'

export const upload = (ivcap: Ivcap) => ivcap.uploadArtifact({ content: 'a', contenttype: 'text/plain' })
