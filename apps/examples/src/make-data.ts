// Creates the sample data in ../data. The data is invented, but has a realistic form. Each run creates the same bytes.
//   npm run make-data
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'

const folder = fileURLToPath(new URL('../data/', import.meta.url))

/** A cheap pseudo-random sequence in 0…1 (a linear congruential generator): the data must not change from run to run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** CTD casts (conductivity, temperature, depth) along a line of stations off a reef: a warm mixed layer over colder water. */
function ctdCasts(): string {
  const random = sequence(20)
  const lines = ['cast,time,latitude,longitude,depth_m,temperature_c,salinity_psu']
  for (let cast = 1; cast <= 8; cast++) {
    const time = new Date(Date.UTC(2024, 1, 10, 6, cast * 45)).toISOString()
    const latitude = (-18.65 - cast * 0.021).toFixed(4)
    const longitude = (147.08 + cast * 0.034).toFixed(4)
    const mixedLayer = 22 + cast * 4 + random() * 6
    for (let depth = 0; depth <= 120; depth += 4) {
      const below = Math.max(0, depth - mixedLayer)
      const temperature = 29.1 - 5.4 * (1 - Math.exp(-below / 38)) + (random() - 0.5) * 0.04
      const salinity = 35.02 + 0.0042 * below + (random() - 0.5) * 0.01
      const row = [cast, time, latitude, longitude, depth, temperature.toFixed(3), salinity.toFixed(3)]
      lines.push(row.join(','))
    }
  }
  return `${lines.join('\n')}\n`
}

/** A photo quadrat of a reef, 160 × 120, 8-bit RGB: sand, and round colonies of coral. */
function reefQuadrat(): Uint8Array {
  const [width, height] = [160, 120]
  const random = sequence(7)
  const colonies = Array.from({ length: 14 }, () => ({
    x: random() * width,
    y: random() * height,
    radius: 6 + random() * 16,
    colour: random() < 0.7 ? [196, 116, 92] : [226, 222, 206],
  }))
  const rows = new Uint8Array(height * (1 + width * 3))
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colony = colonies.find((c) => Math.hypot(c.x - x, c.y - y) < c.radius)
      const shade = colony ? 1 - 0.5 * (Math.hypot(colony.x - x, colony.y - y) / colony.radius) ** 2 : 0.92
      const colour = (colony?.colour ?? [86, 138, 146]).map((c) => Math.round((c * shade) / 8) * 8)
      rows.set(colour, y * (1 + width * 3) + 1 + x * 3)
    }
  }
  return png(width, height, rows)
}

/** A PNG of 8-bit RGB rows, each after its filter byte (0: none). Format: W3C PNG, sections 5 and 11. */
function png(width: number, height: number, rows: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array())]
  return Buffer.concat([Uint8Array.from(signature), ...chunks])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.byteLength)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}ctd-casts.csv`, ctdCasts())
writeFileSync(`${folder}reef-quadrat.png`, reefQuadrat())
