// What apps write, in a browser and in Node: only compiled.
import { connect } from '@ivcap/client'
import {
  type Artifact,
  type Aspect,
  type Backend,
  Ivcap,
  type IvcapErrorCode,
  isArtifact,
  isIvcapError,
} from '@ivcap/core'
import type { ArtifactStore, AspectStore, BlobStore } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { defineService, functionServices } from '@ivcap/services'

export async function tour(file: File, signal: AbortSignal | undefined): Promise<string> {
  const ivcap: Ivcap = await connect({ url: 'https://ivcap.example.com', token: async () => 'secret' })
  const artifact: Artifact = await ivcap.uploadArtifact({
    name: 'reef.csv',
    content: file,
    contentType: undefined,
    signal,
    onProgress: (sent: number, total?: number) => console.log(sent, total),
  })

  let size = 0
  for await (const chunk of artifact.asStream({ range: { start: 0, end: 10 } })) size += chunk.byteLength
  const web: ReadableStream<Uint8Array> = artifact.asStream()
  await web.cancel()
  const url: string = URL.createObjectURL(await artifact.blob())
  const created: Date | undefined = artifact.createdAt

  await artifact.addMetadata({ $schema: 'urn:example:schema:site.1', tags: ['coral'] })
  for await (const aspect of artifact.metadata()) console.log(tags(aspect))
  const names: (string | undefined)[] = (await ivcap.listArtifacts({ limit: 20 }).toArray()).map(
    (a) => a.name,
  )

  const temporary = await artifact.asLocalFile()
  await temporary.dispose()
  await ivcap.close()
  return `${url} ${size} ${created?.toISOString()} ${names.join()}`
}

function tags(aspect: Aspect): unknown {
  return aspect.content['tags']
}

export function explain(problem: unknown): IvcapErrorCode | undefined {
  if (isArtifact(problem)) return undefined
  return isIvcapError(problem) ? problem.code : undefined
}

export function mix(blobs: BlobStore, artifacts: ArtifactStore, aspects: AspectStore): Ivcap {
  const backend: Backend = { ...blobBackend(blobs), artifacts, aspects }
  return new Ivcap(backend)
}

const count = defineService({
  name: 'count',
  parameters: [
    { name: 'text', type: 'artifact' },
    { name: 'least', type: 'int', optional: true },
  ],
  async run({ text, least }, { signal, uploadArtifact }) {
    const words = (await text.text({ signal })).split(' ').filter((word) => word.length >= (least ?? 1))
    const list: Artifact = await uploadArtifact({ content: words.join('\n') })
    return list.id
  },
})

export async function run(backend: Backend, text: string, signal: AbortSignal | undefined): Promise<string> {
  const ivcap = new Ivcap({ ...backend, services: functionServices(backend, [count]) })
  const service = await ivcap.getServiceByName('count')
  const job = await service.requestJob({ text }, { timeout: 1000, signal })
  await job.wait({ signal, pollInterval: undefined })
  const { nodes, toMermaid } = await ivcap.lineage(text, { depth: 2 })
  return `${job.status} ${JSON.stringify(job.result)} ${nodes.length} ${toMermaid()}`
}
