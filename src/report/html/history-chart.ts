import type { Dump, RssPoint } from '../../model.ts'
import { formatBytes } from '../format.ts'
import { html, nothing, ownSource, type Markup } from './markup.ts'

const width = 760
const height = 240
const left = 76
const right = 16
const top = 18
const bottom = 28

/** More points than the picture has columns say no more. */
const maxPoints = 700

/** How the RSS went until the capture, with the threshold and the limit where they fit, and the captures. */
export function historyChart(dump: Dump, baselineAt: number | undefined): Markup {
  const points = thinOut(dump.outside.history)
  if (points.length < 2) return nothing
  const scale = makeScale(dump, points)
  const line = points
    .map(({ secondsAgo, rssBytes }) => `${scale.x(secondsAgo)},${scale.y(rssBytes)}`)
    .join(' ')
  const ends = `${scale.x(points.at(-1)?.secondsAgo ?? 0)},${scale.y(0)} ${scale.x(points[0]?.secondsAgo ?? 0)},${scale.y(0)}`
  const last = points.at(-1)
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="RSS over time">
    ${ticksOf(scale.topBytes).map((bytes) => gridLine(bytes, scale))}
    ${timeTicks(points[0]?.secondsAgo ?? 0).map((secondsAgo) => timeLabel(secondsAgo, dump, scale))}
    <polygon class="area" points="${ownSource(`${line} ${ends}`)}" />
    <polyline class="line" points="${ownSource(line)}" />
    ${scale.lines.map(({ name, bytes }) => levelLine(name, bytes, scale))}
    ${baselineMark(dump, baselineAt, scale)} ${captureMark('this capture', 0, scale)}
    ${scale.killedAfter === undefined ? nothing : captureMark('OOM kill', -scale.killedAfter, scale)}
    ${last === undefined ? nothing : html`<circle class="dot" cx="${scale.x(last.secondsAgo)}" cy="${scale.y(last.rssBytes)}" r="3.5" />`}
  </svg>`
}

type Level = { readonly name: string; readonly bytes: number }

type Scale = {
  readonly x: (secondsAgo: number) => number
  readonly y: (bytes: number) => number
  readonly topBytes: number
  readonly lines: readonly Level[]
  /** Seconds from the capture to the OOM kill, where there is one that the picture has room for. */
  readonly killedAfter: number | undefined
}

// A limit far above everything would press the curve flat, so it is only drawn when it is near.
function makeScale(dump: Dump, points: readonly RssPoint[]): Scale {
  const { manifest, outside } = dump
  const most = Math.max(...points.map(({ rssBytes }) => rssBytes))
  const { fired } = manifest
  const limit = fired.limit ?? outside.cgroup.limit
  const levels: readonly (Level | undefined)[] = [
    fired.kind === 'rss' && fired.threshold !== undefined
      ? { name: `threshold ${formatBytes(fired.threshold)}`, bytes: fired.threshold }
      : undefined,
    limit && { name: `limit ${formatBytes(limit.limitBytes)}`, bytes: limit.limitBytes },
  ]
  const lines = levels.filter((level) => level !== undefined).filter(({ bytes }) => bytes < most * 2)
  const topBytes = Math.max(1, most, ...lines.map(({ bytes }) => bytes)) * 1.05
  const oldest = Math.max(1, points[0]?.secondsAgo ?? 1)
  const killedAfter = secondsToKill(dump, oldest)
  const span = oldest + (killedAfter ?? 0)
  return {
    killedAfter,
    x: (secondsAgo) => round(left + ((oldest - secondsAgo) / span) * (width - left - right)),
    y: (bytes) => round(top + (1 - bytes / topBytes) * (height - top - bottom)),
    topBytes,
    lines,
  }
}

/** A kill long after would leave no room for what was before. */
function secondsToKill({ ending, outside }: Dump, oldest: number): number | undefined {
  if (ending?.how !== 'oom-killed') return undefined
  const seconds = (Date.parse(ending.at) - Date.parse(outside.takenAt)) / 1000
  return seconds >= 0 && seconds <= oldest / 2 ? seconds : undefined
}

const round = (value: number): number => Math.round(value * 10) / 10

/** Of each stretch its lowest and its highest point, so that no peak gets lost. */
function thinOut(points: readonly RssPoint[]): readonly RssPoint[] {
  if (points.length <= maxPoints) return points
  const stretch = Math.ceil((points.length * 2) / maxPoints)
  const kept: RssPoint[] = []
  for (let start = 0; start < points.length; start += stretch) {
    const some = points.slice(start, start + stretch).toSorted((a, b) => a.rssBytes - b.rssBytes)
    const ends = [some[0], some.at(-1)].filter((point) => point !== undefined)
    kept.push(...ends.toSorted((a, b) => b.secondsAgo - a.secondsAgo))
  }
  return kept
}

/** Three to six round numbers up to the top. */
function ticksOf(topBytes: number): readonly number[] {
  const unit = 1024 ** Math.floor(Math.log2(topBytes) / 10)
  const wanted = topBytes / unit / 4
  const step = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => size >= wanted) ?? 1000
  return Array.from({ length: Math.floor(topBytes / unit / step) + 1 }, (_, index) => index * step * unit)
}

const gridLine = (bytes: number, { y }: Scale): Markup =>
  html`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(bytes)}" y2="${y(bytes)}" /><text
      class="tick"
      x="${left - 8}"
      y="${y(bytes) + 4}"
      text-anchor="end"
      >${formatBytes(bytes)}</text
    >`

const levelLine = (name: string, bytes: number, { y }: Scale): Markup =>
  html`<line class="level" x1="${left}" x2="${width - right}" y1="${y(bytes)}" y2="${y(bytes)}" /><text
      class="level-name"
      x="${left + 6}"
      y="${y(bytes) - 5}"
      >${name}</text
    >`

const timeTicks = (oldest: number): readonly number[] => [1, 0.75, 0.5, 0.25, 0].map((part) => part * oldest)

function timeLabel(secondsAgo: number, { outside }: Dump, { x }: Scale): Markup {
  const at = new Date(Date.parse(outside.takenAt) - secondsAgo * 1000)
  const time = Number.isNaN(at.getTime()) ? '' : at.toISOString().slice(11, 19)
  const anchor = secondsAgo === 0 ? 'end' : 'middle'
  return html`<text class="tick" x="${x(secondsAgo)}" y="${height - 8}" text-anchor="${anchor}"
    >${time}</text
  >`
}

function baselineMark({ outside }: Dump, baselineAt: number | undefined, scale: Scale): Markup {
  if (baselineAt === undefined) return nothing
  const secondsAgo = (Date.parse(outside.takenAt) - baselineAt) / 1000
  const isInside = secondsAgo > 0 && scale.x(secondsAgo) >= left
  return isInside ? captureMark('compared with', secondsAgo, scale) : nothing
}

function captureMark(name: string, secondsAgo: number, { x }: Scale): Markup {
  const at = x(secondsAgo)
  const anchor = at > width / 2 ? 'end' : 'start'
  return html`<line class="capture" x1="${at}" x2="${at}" y1="${top}" y2="${height - bottom}" /><text
      class="mark"
      x="${at + (anchor === 'end' ? -5 : 5)}"
      y="${height - bottom - 6}"
      text-anchor="${anchor}"
      >${name}</text
    >`
}
