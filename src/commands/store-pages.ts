import { analyse } from '../analyse/analyse.ts'
import type { Dump } from '../model.ts'
import { html } from '../report/html/markup.ts'
import type { PageAssets } from '../report/html/document.ts'
import { renderPage } from '../report/html/page.ts'
import {
  renderProblemPage,
  renderStorePage,
  renderTargetPage,
  targetLink,
} from '../report/html/store-page.ts'
import { listDumps, readDump } from '../store/read-dumps.ts'
import { findingsOf } from './find-dump.ts'
import { withHeadlines } from './list.ts'
import type { OpenStore } from './settings.ts'

export type PageAnswer = { readonly status: 200 | 404; readonly page: string }

/**
 * The pages of a store: all targets, one target, one dump, two dumps compared. Only dumps that a listing of the store
 * has are ever opened, whatever a request names.
 */
export async function answerPage(url: URL, store: OpenStore, assets: PageAssets): Promise<PageAnswer> {
  const { dumps } = await listDumps(store.dir)
  const found = (page: string): PageAnswer => ({ status: 200, page })
  const missing = (what: string): PageAnswer => ({
    status: 404,
    page: renderProblemPage('Not found', what, assets),
  })
  const open = async (id: string | null): Promise<Dump | undefined> => {
    const entry = dumps.find((dump) => dump.id === id)
    if (entry) await store.fetch?.(entry.path, [])
    const read = entry && (await readDump(entry.path))
    return read?.kind === 'read' ? read.dump : undefined
  }
  const [, kind = '', ...rest] = url.pathname.split('/').map(decode)
  if (kind === '' && rest.length === 0) return found(renderStorePage(await withHeadlines(dumps), assets))
  if (kind === 'target' && rest.length === 1) {
    const of = dumps.filter(({ id }) => id.startsWith(`${rest[0]}/`))
    return of.length === 0
      ? missing(`There are no dumps of ${rest[0]}.`)
      : found(renderTargetPage(rest[0] ?? '', await withHeadlines(of), assets))
  }
  if (kind === 'dump' && rest.length === 2) {
    const dump = await open(rest.join('/'))
    return dump ? found(await renderDump(dump, store.dir, assets)) : missing('There is no such dump.')
  }
  if (kind === 'compare' && rest.length === 0) {
    const [before, after] = [await open(url.searchParams.get('a')), await open(url.searchParams.get('b'))]
    if (!before || !after) return missing('One of the two dumps is not there.')
    return found(renderPage(after, analyse(after, before), assets, wayBack(after)))
  }
  return missing('There is no such page.')
}

const wayBack = ({ manifest: { target } }: Dump): ReturnType<typeof html> =>
  html`<a href="/">all targets</a> · <a href="${targetLink(target)}">${target}</a>`

const renderDump = async (dump: Dump, storeDir: string, assets: PageAssets): Promise<string> =>
  renderPage(dump, await findingsOf(dump, storeDir), assets, wayBack(dump))

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
