/** What the tests do in the page, with the client's browser entry and nothing else. Arguments and results are JSON. */
import { type Artifact, connect, isIvcapError, local } from '@ivcap/client'

export interface Place {
  readonly url: string
  readonly token: string
}

declare const document: { querySelector(selector: 'input'): { readonly files: ArrayLike<File> } }

export const actions = {
  /** Uploads the file that was chosen in the page; is paused when more than `pauseAfter` bytes have been accepted. */
  async upload({ place, chunkSize, pauseAfter }: { place: Place; chunkSize: number; pauseAfter?: number }) {
    const ivcap = await connect(place)
    const [content] = Array.from(document.querySelector('input').files)
    const progress: [number, number?][] = []
    const pause = new AbortController()
    const onProgress = (accepted: number, total?: number) => {
      progress.push(total === undefined ? [accepted] : [accepted, total])
      if (pauseAfter !== undefined && accepted > pauseAfter) pause.abort('paused')
    }
    try {
      const { signal } = pause
      const artifact = await ivcap.uploadArtifact({ content, chunkSize, onProgress, signal, retryDelay: 1 })
      return { artifact: artifact.toJSON(), progress }
    } catch (error) {
      if (error === 'paused') return { progress }
      throw error
    }
  },

  /** A stream that doesn't tell its size. */
  async uploadStream({ place, size, chunkSize }: { place: Place; size: number; chunkSize: number }) {
    const ivcap = await connect(place)
    let left = size
    const content = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = new Uint8Array(Math.min(left, 40_000)).fill(7)
        if (piece.byteLength > 0) controller.enqueue(piece)
        left -= piece.byteLength
        if (left === 0) controller.close()
      },
    })
    const artifact = await ivcap.uploadArtifact({ content, contentType: 'a/b', chunkSize })
    return artifact.toJSON()
  },

  /** Digests of the content, read in every way. */
  async download({ place, id, start, end }: { place: Place; id: string; start: number; end: number }) {
    const artifact = await (await connect(place)).getArtifact(id)
    const blob = await artifact.blob()
    const part = artifact.asStream({ range: { start, end } })
    return {
      type: blob.type,
      stream: await digest(await collect(artifact.asStream())),
      blob: await digest(blob),
      part: await digest(await collect(part)),
    }
  },

  async list({ place, limit }: { place: Place; limit: number }) {
    const pages: string[][] = []
    const listing = (await connect(place)).listArtifacts({ limit, orderBy: 'name', orderDesc: false })
    for await (const page of listing.pages()) pages.push(page.map((artifact) => artifact.name ?? ''))
    return pages
  },

  async aspects({ place, id }: { place: Place; id: string }) {
    const ivcap = await connect(place)
    const artifact = await ivcap.getArtifact(id)
    const schema = 'urn:example:schema:depth.1'
    await artifact.addMetadata({ $schema: schema, depth: 3.5, where: 'Füße 🐟' })
    const added = await contents(artifact, schema)
    await ivcap.updateAspect(id, { $schema: schema, depth: 4 })
    return { added, updated: await contents(artifact, schema) }
  },

  /** What these calls fail with. */
  async failures({ place, id }: { place: Place; id: string }) {
    const ivcap = await connect(place)
    const artifact = await ivcap.getArtifact(id)
    const unknown = id.replace(/.{12}$/, '000000000000')
    return {
      unknown: await failure(ivcap.getArtifact(unknown)),
      path: await failure(ivcap.uploadArtifact({ filePath: 'reef.csv' })),
      localFile: await failure(artifact.asLocalFile()),
      local: await failure(local()),
      bucket: await failure(connect('s3://bucket')),
      token: await failure(connect({ ...place, token: 'expired' }).then((c) => c.getArtifact(id))),
      noToken: await failure(connect('https://api.example.com')),
    }
  },

  async uploadText({ place, text }: { place: Place; text: string }) {
    const ivcap = await connect(place)
    return failure(ivcap.uploadArtifact({ name: 'note.txt', content: text, retries: 0 }))
  },
}

async function contents(artifact: Artifact, schema: string) {
  const aspects = await artifact.metadata({ schema }).toArray()
  return Promise.all(aspects.map(async (aspect) => aspect.content))
}

async function failure(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await call
  } catch (error) {
    if (isIvcapError(error)) return { code: error.code, message: error.message }
    return { code: 'none of ours', message: String(error) }
  }
  return { code: 'none', message: '' }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for await (const chunk of stream) chunks.push(new Uint8Array(chunk))
  return new Blob(chunks)
}

async function digest(blob: Blob): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

Object.assign(globalThis, { actions })
