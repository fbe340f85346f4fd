import type { Content } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { upload } from '../support/artifacts.js'
import { chunksOf, MiB, someBytes, streamFrom, streamOf } from '../support/bytes.js'
import { rejectionOf } from '../support/expect-error.js'
import { fileOf, uploadFile } from '../support/files.js'
import { progressLog, type Report } from '../support/transfer.js'
import type { BackendPlace } from './place.js'

/** Progress never decreases, reports the total once, as the last report, and stops after an abort. */
export function artifactProgress(place: BackendPlace): void {
  const size = Math.max(4 * place.capabilities.partSize, 8 * MiB) + 3
  const bytes = someBytes(size)

  it.each<[string, number, () => Content, number | undefined]>([
    ['bytes', size, () => bytes, undefined],
    ['a stream', size, () => streamOf(bytes), undefined],
    ['a stream of a size that was told', size, () => streamOf(bytes), size],
    ['nothing', 0, () => new Uint8Array(), undefined],
  ])('of %s', async (_, total, content, told) => {
    const { reports, onProgress } = progressLog()
    await upload(place.at, content(), { onProgress, ...(told !== undefined && { size: told }) })
    expectGood(reports, total)
  })

  // known failure: progress
  it('of a file', async () => {
    const { reports, onProgress } = progressLog()
    await uploadFile(place.at, await fileOf(bytes), { onProgress })
    expectGood(reports, size)
  })

  // known failure: progress
  it('is told on the way, not only at the end', async () => {
    const { reports, onProgress } = progressLog()
    await upload(place.at, streamOf(bytes), { onProgress, size })
    expect(reports.length).toBeGreaterThan(1)
    expect(reports[0]?.accepted).toBeLessThan(size)
  })

  it('is silent after an abort', async () => {
    const caller = new AbortController()
    const late: number[] = []
    let taken = 0
    const abortHalfWay = function* () {
      for (const chunk of chunksOf(bytes)) {
        taken += chunk.byteLength
        if (taken > size / 2) caller.abort(new Error('enough'))
        yield chunk
      }
    }
    const onProgress = (accepted: number) => {
      if (caller.signal.aborted) late.push(accepted)
    }
    const doomed = upload(place.at, streamFrom(abortHalfWay()), { onProgress, signal: caller.signal, size })
    expect(await rejectionOf(doomed)).toBe(caller.signal.reason)
    expect(late).toEqual([])
  })
}

function expectGood(reports: readonly Report[], total: number): void {
  const accepted = reports.map((r) => r.accepted)
  expect(accepted).toEqual([...accepted].sort((a, b) => a - b))
  expect(reports.filter((r) => r.accepted === r.total)).toEqual([{ accepted: total, total }])
  expect(reports.at(-1)).toEqual({ accepted: total, total })
  for (const r of reports) expect([undefined, total]).toContain(r.total)
}
