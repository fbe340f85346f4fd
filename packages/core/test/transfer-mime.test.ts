import { expect, it } from 'vitest'
import { mimeOf } from '../src/streams/mime.js'

it.each([
  ['reef.jpg', 'image/jpeg'],
  ['data/2024/table.CSV', 'text/csv'],
  ['C:\\data\\table.csv', 'text/csv'],
  ['notes.txt', 'text/plain'],
  ['sst.nc', 'application/x-netcdf'],
  ['sst.h5', 'application/x-hdf5'],
  ['scene.geotiff', 'image/tiff'],
  ['scene.tif', 'image/tiff'],
  ['table.parquet', 'application/vnd.apache.parquet'],
  ['cube.zarr', 'application/vnd+zarr'],
  ['sky.fits', 'application/fits'],
  ['weather.grib2', 'application/x-grib2'],
  ['points.laz', 'application/vnd.laszip'],
  ['rows.jsonl', 'application/jsonl'],
  ['map.geojson', 'application/geo+json'],
  ['archive.nc.gz', 'application/gzip'],
])('%s is %s', (name, type) => {
  expect(mimeOf(name)).toBe(type)
})

// known failure: unknown-extension
it.each(['', 'csv', 'data/csv', 'README', '.csv', 'x.unheard-of', 'csv/readme', 'a.'])(
  '%j tells nothing',
  (name) => {
    expect(mimeOf(name)).toBeUndefined()
  },
)
