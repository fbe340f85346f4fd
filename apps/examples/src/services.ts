// The services of these examples: functions that run in this process, or on a deployment for development:
//   npx ivcap-platform --services apps/examples/src/services.ts
import { defineService } from '@ivcap/services'
import { mixedLayer } from './mixed-layer.js'

export const services = [
  defineService({
    name: 'mixed-layer',
    description: 'How deep the mixed layer of the sea is, by CTD casts',
    parameters: [
      { name: 'casts', type: 'artifact', description: 'CSV with the columns cast, depth_m, temperature_c' },
    ],
    async run({ casts }, { ivcap }) {
      const result = await mixedLayer(ivcap, casts.id)
      return result.id
    },
  }),
]
