import { expect, it } from 'vitest'
import { clientOf, withServices } from '../support/services.js'
import type { BackendPlace } from './place.js'

/** The outputs of a job stay its own, even if other artifacts have the same name. */
export function worldMovedJobs(place: BackendPlace): void {
  const complete = withServices()

  it('two jobs that store the same name leave two outputs, each with its own provenance', async () => {
    const ivcap = clientOf(complete(place.at))
    const input = await ivcap.uploadArtifact({
      name: 'words.txt',
      content: 'reef',
      contentType: 'text/plain',
    })
    const service = await ivcap.getServiceByName('shout')
    const outputs: string[] = []
    for (const mark of ['!', '?']) {
      const job = await service.requestJob({ text: input.id, name: 'deep/stats.txt', mark })
      await job.wait({ pollInterval: 5 })
      const id = String({ ...Object(job.result) }['output'])
      outputs.push(id)
      const output = await ivcap.getArtifact(id)
      expect(output.name).toBe('deep/stats.txt')
      expect((await output.provenance()).producedBy).toEqual([job.id])
    }
    expect(new Set(outputs).size).toBe(2)
    const texts = await Promise.all(outputs.map(async (id) => (await ivcap.getArtifact(id)).text()))
    expect(texts).toEqual(['REEF!', 'REEF?'])
    const named = ivcap.listArtifacts({ filter: "name = 'deep/stats.txt'", limit: 10 })
    expect((await named.toArray()).map(({ id }) => id).sort()).toEqual([...outputs].sort())
  })
}
