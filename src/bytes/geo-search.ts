import {
  AXIS_CELLS,
  cellIndex,
  cellStart,
  GEOHASH_STEPS,
  type GeoPoint,
  interleave,
  LATITUDE_MAX,
  LONGITUDE_MAX,
} from './geohash.js'

/** Searching points in a circle or a box by ranges of scores. Source: Redis geohash_helper.c and geo.c. */

/** An area around its middle. A box is as wide and as high as given at the latitude of the point that is asked for. */
export type GeoShape = GeoPoint &
  (
    | { readonly kind: 'circle'; readonly radiusMeters: number }
    | { readonly kind: 'box'; readonly widthMeters: number; readonly heightMeters: number }
  )

/** Scores from `min` up to, but without, `max`. */
export type ScoreRange = { readonly min: number; readonly max: number }

const EARTH_RADIUS_METERS = 6372797.560856
const MERCATOR_METERS = 20037726.37
const DEGREE = Math.PI / 180
/** More than all that rounding can do. */
const SURELY = 1.000001

/** The length of the great circle between two points, in metres. */
export function distanceMeters(a: GeoPoint, b: GeoPoint): number {
  const v = Math.sin((b.longitude * DEGREE - a.longitude * DEGREE) / 2)
  if (v === 0) return latitudeMeters(a.latitude, b.latitude)
  const latitudeA = a.latitude * DEGREE
  const latitudeB = b.latitude * DEGREE
  const u = Math.sin((latitudeB - latitudeA) / 2)
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(u * u + Math.cos(latitudeA) * Math.cos(latitudeB) * v * v))
}

function latitudeMeters(a: number, b: number): number {
  return EARTH_RADIUS_METERS * Math.abs(b * DEGREE - a * DEGREE)
}

/** How far a point is from the middle of the shape, in metres; undefined if it is outside. */
export function distanceInside(shape: GeoShape, point: GeoPoint): number | undefined {
  if (shape.kind === 'box') {
    if (latitudeMeters(point.latitude, shape.latitude) > shape.heightMeters / 2) return undefined
    const sameLatitude = { longitude: shape.longitude, latitude: point.latitude }
    if (distanceMeters(point, sameLatitude) > shape.widthMeters / 2) return undefined
    return distanceMeters(shape, point)
  }
  // Most of those outside are so already by their latitude, which is told at once.
  if (latitudeMeters(point.latitude, shape.latitude) > shape.radiusMeters * SURELY) return undefined
  const distance = distanceMeters(shape, point)
  return distance > shape.radiusMeters ? undefined : distance
}

/**
 * Ranges of scores that together hold every point of the shape, and others: `distanceInside` decides. They come in the
 * order in which Redis looks at the cells, which is the order of an unsorted reply: the cell of the middle, then north,
 * south, east, west, north-east, north-west, south-east, south-west. No two overlap.
 */
export function scoreRanges(shape: GeoShape): ScoreRange[] {
  const bounds = boundingBox(shape)
  const { x, y, step } = coveringCell(shape, bounds)
  // At the coarsest steps a cell's neighbours lie around the globe, and none can be left out.
  const all = step < 2
  const west = all || cellStart(x, LONGITUDE_MAX, step) >= bounds.west
  const east = all || cellStart(x + 1, LONGITUDE_MAX, step) <= bounds.east
  const south = all || cellStart(y, LATITUDE_MAX, step) >= bounds.south
  const north = all || cellStart(y + 1, LATITUDE_MAX, step) <= bounds.north
  const ranges: ScoreRange[] = [cellRange(x, y, step)]
  const add = (wanted: boolean, dx: number, dy: number) => {
    if (!wanted) return
    const range = cellRange(move(x, dx, step), move(y, dy, step), step)
    if (!ranges.some(({ min }) => min === range.min)) ranges.push(range)
  }
  add(north, 0, 1)
  add(south, 0, -1)
  add(east, 1, 0)
  add(west, -1, 0)
  add(north && east, 1, 1)
  add(north && west, -1, 1)
  add(south && east, 1, -1)
  add(south && west, -1, -1)
  return ranges
}

type Cell = { x: number; y: number; step: number }

/** The finest cell around the middle that, with its eight neighbours, covers the bounds. */
function coveringCell(shape: GeoShape, bounds: Bounds): Cell {
  const step = estimateSteps(radiusMeters(shape), shape.latitude)
  const cell = cellAt(shape, step)
  const { x, y } = cell
  const isTooFine =
    cellStart(move(y, 1, step) + 1, LATITUDE_MAX, step) < bounds.north ||
    cellStart(move(y, -1, step), LATITUDE_MAX, step) > bounds.south ||
    cellStart(move(x, 1, step) + 1, LONGITUDE_MAX, step) < bounds.east ||
    cellStart(move(x, -1, step), LONGITUDE_MAX, step) > bounds.west
  return isTooFine && step > 1 ? cellAt(shape, step - 1) : cell
}

function cellAt({ longitude, latitude }: GeoPoint, step: number): Cell {
  return { x: cellIndex(longitude, LONGITUDE_MAX, step), y: cellIndex(latitude, LATITUDE_MAX, step), step }
}

/** The index of a neighbour; beyond the edge the map begins again. */
function move(index: number, by: number, step: number): number {
  const cells = AXIS_CELLS[step]!
  return by === 0 ? index : (index + by + cells) % cells
}

function cellRange(x: number, y: number, step: number): ScoreRange {
  const size = 4 ** (GEOHASH_STEPS - step)
  const min = interleave(x, y) * size
  return { min, max: min + size }
}

/** Half the diagonal of a box: what a circle around it has as radius. */
function radiusMeters(shape: GeoShape): number {
  return shape.kind === 'circle' ? shape.radiusMeters : Math.hypot(shape.widthMeters / 2, shape.heightMeters / 2)
}

/** Towards the poles cells grow narrow, so a coarser step is needed. */
function estimateSteps(radius: number, latitude: number): number {
  if (radius === 0) return GEOHASH_STEPS
  let step = -1
  for (let range = radius; range < MERCATOR_METERS; range *= 2) step++
  const polar = Math.abs(latitude)
  if (polar > 66) step--
  if (polar > 80) step--
  return Math.max(1, Math.min(GEOHASH_STEPS, step))
}

type Bounds = { west: number; east: number; south: number; north: number }

/** The degrees that the shape spans; east to west at its edge that is nearer to a pole, where it spans most. */
function boundingBox(shape: GeoShape): Bounds {
  const { longitude, latitude } = shape
  const height = shape.kind === 'circle' ? shape.radiusMeters : shape.heightMeters / 2
  const width = shape.kind === 'circle' ? shape.radiusMeters : shape.widthMeters / 2
  const dy = height / EARTH_RADIUS_METERS / DEGREE
  const edge = latitude < 0 ? latitude - dy : latitude + dy
  const dx = width / EARTH_RADIUS_METERS / Math.cos(edge * DEGREE) / DEGREE
  return { west: longitude - dx, east: longitude + dx, south: latitude - dy, north: latitude + dy }
}
