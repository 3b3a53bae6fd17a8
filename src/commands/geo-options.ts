/** The options of searches on the globe. Source: redis src/geo.c, georadiusGeneric. */

import type { Bytes } from '../bytes/bytes.js'
import { formatFixed6, parseDouble } from '../bytes/double.js'
import { type GeoPoint, isEncodable } from '../bytes/geohash.js'
import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import type { GeoSelection } from '../types/geo.js'
import { doubleAt, int64At } from './options.js'

const UNKNOWN_UNIT = err('unsupported unit provided. please use M, KM, FT, MI')
const RADIUS_NOT_NUMERIC = err('need numeric radius')
const RADIUS_NEGATIVE = err('radius cannot be negative')
const WIDTH_NOT_NUMERIC = err('need numeric width')
const HEIGHT_NOT_NUMERIC = err('need numeric height')
const BOX_NEGATIVE = err('height or width cannot be negative')
const COUNT_NOT_POSITIVE = err('COUNT must be > 0')
const ANY_NEEDS_COUNT = err('the ANY argument requires COUNT argument')

const UNITS = [
  ['m', 1],
  ['km', 1000],
  ['ft', 0.3048],
  ['mi', 1609.34],
] as const

/** Metres of the unit in word `index`. */
export function unitAt(args: Args, index: number): number {
  const unit = UNITS.find(([name]) => args.is(index, name))
  if (unit === undefined) throw UNKNOWN_UNIT
  return unit[1]
}

/** The longitude in word `index`, and the latitude after it. */
export function pointAt(args: Args, index: number): GeoPoint {
  const longitude = doubleAt(args, index)
  const latitude = doubleAt(args, index + 1)
  if (isEncodable(longitude, latitude)) return { longitude, latitude }
  throw err(`invalid longitude,latitude pair ${formatFixed6(longitude)},${formatFixed6(latitude)}`)
}

/** An area whose middle is not yet known. */
export type Extent =
  | { readonly kind: 'circle'; readonly radiusMeters: number }
  | { readonly kind: 'box'; readonly widthMeters: number; readonly heightMeters: number }

export type Origin = { readonly point: GeoPoint } | { readonly member: Bytes }

export interface SearchOptions {
  readonly origin: Origin
  readonly extent: Extent
  /** Metres of the unit in which distances are answered and stored. */
  readonly unitMeters: number
  readonly selection: GeoSelection
  readonly withDistance: boolean
  readonly withHash: boolean
  readonly withPoint: boolean
  readonly storeKey: Bytes | undefined
  readonly storesDistance: boolean
}

/** What one command takes. */
export interface SearchForm {
  /** As errors name it. */
  readonly name: string
  /** GEOSEARCH and GEOSEARCHSTORE: origin and extent are options. */
  readonly isSearch: boolean
  /** The result goes to a key: always to the first one, or where STORE or STOREDIST name one. */
  readonly stores: 'always' | 'option' | 'never'
}

type Draft = { -readonly [Name in keyof SearchOptions]?: SearchOptions[Name] } & {
  sort: GeoSelection['sort']
  count: number
  any: boolean
}

/** Reads the options from word `from` on; `given` is what the words before said. */
export function parseSearch(args: Args, from: number, form: SearchForm, given: Partial<SearchOptions>): SearchOptions {
  const draft: Draft = { ...given, sort: 'none', count: 0, any: false }
  for (let at = from; at < args.count; ) {
    const taken = takeResultOption(args, at, draft) || takeStoreOption(args, at, draft, form)
    const words = taken || (form.isSearch ? takeAreaOption(args, at, draft) : 0)
    if (words === 0) throw SYNTAX
    at += words
  }
  const { sort, count, any, withDistance = false, withHash = false, withPoint = false, storesDistance = false } = draft
  if (draft.storeKey !== undefined && (withDistance || withHash || withPoint)) {
    const what = form.isSearch ? form.name : 'STORE option in GEORADIUS'
    throw err(`${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`)
  }
  const { origin, extent, unitMeters = 1, storeKey } = draft
  if (origin === undefined) throw err(`exactly one of FROMMEMBER or FROMLONLAT can be specified for ${form.name}`)
  if (extent === undefined) throw err(`exactly one of BYRADIUS and BYBOX can be specified for ${form.name}`)
  if (any && count === 0) throw ANY_NEEDS_COUNT
  // Without an order COUNT means the nearest.
  const selection: GeoSelection = { sort: sort === 'none' && count > 0 && !any ? 'nearest' : sort, count, any }
  return { origin, extent, unitMeters, selection, withDistance, withHash, withPoint, storeKey, storesDistance }
}

/** Returns the number of words of the option at `at`; 0 if it is another one. */
function takeResultOption(args: Args, at: number, draft: Draft): number {
  if (args.is(at, 'withdist')) draft.withDistance = true
  else if (args.is(at, 'withhash')) draft.withHash = true
  else if (args.is(at, 'withcoord')) draft.withPoint = true
  else if (args.is(at, 'any')) draft.any = true
  else if (args.is(at, 'asc')) draft.sort = 'nearest'
  else if (args.is(at, 'desc')) draft.sort = 'farthest'
  else if (args.is(at, 'count') && at + 1 < args.count) {
    draft.count = Number(int64At(args, at + 1))
    if (draft.count <= 0) throw COUNT_NOT_POSITIVE
    return 2
  } else return 0
  return 1
}

function takeStoreOption(args: Args, at: number, draft: Draft, { stores }: SearchForm): number {
  const isDistance = args.is(at, 'storedist')
  if (stores === 'never' || !(isDistance || (stores === 'option' && args.is(at, 'store')))) return 0
  draft.storesDistance = isDistance
  if (stores === 'always') return 1
  if (at + 1 >= args.count) return 0
  draft.storeKey = args.at(at + 1)
  return 2
}

function takeAreaOption(args: Args, at: number, draft: Draft): number {
  const after = args.count - at - 1
  const { origin, extent } = draft
  if (args.is(at, 'frommember') && after >= 1 && (origin === undefined || 'member' in origin)) {
    draft.origin = { member: args.at(at + 1) }
    return 2
  }
  if (args.is(at, 'fromlonlat') && after >= 2 && (origin === undefined || 'point' in origin)) {
    draft.origin = { point: pointAt(args, at + 1) }
    return 3
  }
  if (args.is(at, 'byradius') && after >= 2 && extent?.kind !== 'box') {
    Object.assign(draft, circleAt(args, at + 1))
    return 3
  }
  if (args.is(at, 'bybox') && after >= 3 && extent?.kind !== 'circle') {
    Object.assign(draft, boxAt(args, at + 1))
    return 4
  }
  return 0
}

/** The radius in word `index`, and its unit. */
export function circleAt(args: Args, index: number): Pick<SearchOptions, 'extent' | 'unitMeters'> {
  const radius = doubleAt(args, index, RADIUS_NOT_NUMERIC)
  if (radius < 0) throw RADIUS_NEGATIVE
  const unitMeters = unitAt(args, index + 1)
  return { extent: { kind: 'circle', radiusMeters: radius * unitMeters }, unitMeters }
}

function boxAt(args: Args, index: number): Pick<SearchOptions, 'extent' | 'unitMeters'> {
  const width = parseDouble(args.at(index))
  if (width === undefined) throw WIDTH_NOT_NUMERIC
  const height = parseDouble(args.at(index + 1))
  if (height === undefined) throw HEIGHT_NOT_NUMERIC
  if (width < 0 || height < 0) throw BOX_NEGATIVE
  const unitMeters = unitAt(args, index + 2)
  return { extent: { kind: 'box', widthMeters: width * unitMeters, heightMeters: height * unitMeters }, unitMeters }
}
