import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy'
import type { Census, Findings, Owner } from '../../model.ts'
import { formatBytes, formatShare } from '../format.ts'
import { fit, visible } from '../visible.ts'
import { html, nothing, type Markup } from './markup.ts'

const width = 960
const height = 420

/** A tile smaller than this cannot be seen. */
const minShare = 0.0008

/** How wide a letter is at most in the size that tiles are labelled in. */
const letterWidth = 6.6

type Tile = {
  readonly name: string
  readonly bytes: number
  /** What the style sheet colours it by. */
  readonly tone: string
  readonly link?: string | undefined
  readonly parts?: readonly Tile[] | undefined
}

/**
 * The heap by who holds it: a tile is an owner, in the frame of its module, class or thread; it leads to its row. Suspects
 * are red.
 */
export function ownerTreemap({ owners, bytes }: Census, { suspects }: Pick<Findings, 'suspects'>): Markup {
  const isSuspect = ({ kind, scope, path }: Owner): boolean =>
    suspects.some(({ owner }) => owner?.kind === kind && owner.scope === scope && owner.path === path)
  const scopes = new Map<string, Tile[]>()
  owners.forEach((owner, index) => {
    const name = scopeName(owner)
    const tile = {
      name: owner.path || owner.type,
      bytes: owner.bytes,
      tone: isSuspect(owner) ? 'suspect' : owner.kind,
      link: `owner-${index}`,
    }
    scopes.set(name, [...(scopes.get(name) ?? []), tile])
  })
  return drawTreemap('The heap by owner', groupsOf(scopes), bytes)
}

/** The heap by type, in the frame of the package that the type is from. */
export function typeTreemap({ types, bytes }: Census): Markup {
  const packages = new Map<string, Tile[]>()
  for (const { type, bytes: typeBytes } of types) {
    const name = type.includes('.') ? (type.split('.')[0] ?? type) : 'builtins'
    const tone = name === 'builtins' ? 'interpreter' : 'class'
    packages.set(name, [...(packages.get(name) ?? []), { name: type, bytes: typeBytes, tone }])
  }
  return drawTreemap('The heap by type', groupsOf(packages), bytes)
}

const scopeName = ({ kind, scope }: Owner): string =>
  kind === scope || scope === '' ? kind : `${kind} ${scope}`

const groupsOf = (groups: ReadonlyMap<string, readonly Tile[]>): readonly Tile[] =>
  [...groups].map(([name, parts]) => ({ name, bytes: 0, tone: '', parts }))

function drawTreemap(label: string, groups: readonly Tile[], totalBytes: number): Markup {
  const leaves = groups.flatMap(({ parts = [] }) => parts)
  const shown = leaves.reduce((sum, { bytes }) => sum + bytes, 0)
  if (shown <= 0) return nothing
  const bySize = (tile: Tile): number =>
    tile.parts === undefined && tile.bytes / shown >= minShare ? tile.bytes : 0
  const tree = hierarchy<Tile>({ name: '', bytes: 0, tone: '', parts: groups }, ({ parts }) => parts)
    .sum(bySize)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const laidOut = treemap<Tile>()
    .tile(treemapSquarify)
    .size([width, height])
    .paddingInner(1)
    .paddingTop((node) => (node.depth === 1 && isWide(node) ? 17 : 1))
    .round(true)(tree)
  const nodes = laidOut.descendants().filter((node) => node.depth > 0 && isSeen(node))
  return html`<svg class="treemap" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    ${nodes.map((node) => drawNode(node, totalBytes))}
  </svg>`
}

type Node = HierarchyRectangularNode<Tile>

// The layout asks for the padding before it has given the node its place: a share of the area stands for the width.
const isWide = ({
  value = 0,
  parent,
}: {
  readonly value?: number | undefined
  readonly parent: { readonly value?: number | undefined } | null
}): boolean => value / (parent?.value ?? 1) > 0.01

const isSeen = ({ x0, x1, y0, y1 }: Node): boolean => x1 - x0 >= 1 && y1 - y0 >= 1

function drawNode(node: Node, totalBytes: number): Markup {
  const { x0, x1, y0, y1, data, value = 0 } = node
  const isGroup = node.children !== undefined
  const text = `${isGroup ? '' : `${node.parent?.data.name ?? ''}: `}${data.name}, ${formatBytes(value)}, ${formatShare(value / totalBytes)}`
  const tile = html`<rect
      class="${isGroup ? 'group' : `tile of-${data.tone}`}"
      x="${x0}"
      y="${y0}"
      width="${x1 - x0}"
      height="${y1 - y0}"
      ><title>${text}</title></rect
    >${labelOf(node, isGroup)}`
  return data.link === undefined ? tile : html`<a href="#${data.link}">${tile}</a>`
}

function labelOf({ x0, x1, y0, y1, data, value = 0 }: Node, isGroup: boolean): Markup {
  const letters = Math.floor((x1 - x0 - 8) / letterWidth)
  if (letters < 4 || y1 - y0 < 16) return nothing
  const name = html`<text class="${isGroup ? 'group-name' : 'tile-name'}" x="${x0 + 4}" y="${y0 + 12.5}"
    >${fit(visible(data.name, 200), letters)}</text
  >`
  const hasRoom = !isGroup && y1 - y0 >= 32 && letters >= 8
  return hasRoom
    ? html`${name}<text class="tile-size" x="${x0 + 4}" y="${y0 + 27}">${formatBytes(value)}</text>`
    : name
}
