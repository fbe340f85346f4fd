import { Mime } from 'mime/lite'
import standardTypes from 'mime/types/standard.js'

/** Scientific formats that the standard table of the library omits. Uses registered names if they exist. */
const scientificTypes = {
  'application/dicom': ['dcm'],
  'application/fits': ['fits', 'fit', 'fts'],
  'application/geo+json': ['geojson'],
  'application/geopackage+sqlite3': ['gpkg'],
  'application/jsonl': ['jsonl'],
  'application/msword': ['doc'],
  'application/vnd.apache.arrow.file': ['arrow', 'feather'],
  'application/vnd.apache.arrow.stream': ['arrows'],
  'application/vnd.apache.parquet': ['parquet'],
  'application/vnd.dbf': ['dbf'],
  'application/vnd.google-earth.kml+xml': ['kml'],
  'application/vnd.google-earth.kmz': ['kmz'],
  'application/vnd.las': ['las'],
  'application/vnd.laszip': ['laz'],
  'application/vnd.ms-excel': ['xls'],
  'application/vnd.ms-powerpoint': ['ppt'],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['pptx'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'application/vnd.shp': ['shp'],
  'application/vnd.shx': ['shx'],
  'application/vnd.sqlite3': ['sqlite', 'sqlite3'],
  'application/vnd+zarr': ['zarr'],
  'application/x-7z-compressed': ['7z'],
  'application/x-bufr': ['bufr'],
  'application/x-bzip2': ['bz2'],
  'application/x-grib': ['grib', 'grb'],
  'application/x-grib2': ['grib2', 'grb2'],
  'application/x-hdf': ['hdf', 'hdf4', 'h4'],
  'application/x-hdf5': ['h5', 'hdf5', 'he5'],
  'application/x-ipynb+json': ['ipynb'],
  'application/x-matlab-data': ['mat'],
  'application/x-ndjson': ['ndjson'],
  'application/x-netcdf': ['nc', 'nc4', 'cdf'],
  'application/x-tar': ['tar'],
  'application/x-xz': ['xz'],
  'application/zstd': ['zst'],
  'image/tiff': ['tif', 'tiff', 'geotiff', 'gtiff'],
  'text/x-python': ['py'],
}

let types: Mime | undefined

/** The MIME type for the extension of a file name or path; undefined if the extension is missing or unknown. */
export function mimeOf(nameOrPath: string): string | undefined {
  types ??= new Mime(standardTypes).define(scientificTypes, true)
  // the leading slash prevents that a file named `csv` is taken for an extension
  return types.getType(`/${nameOrPath}`) ?? undefined
}
