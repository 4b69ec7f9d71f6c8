import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PageAsset, PageAssets } from './report/html/document.ts'

/** The style sheet and the script of the report's page, as the package ships them. */
export const readPageAssets = (directory: string): PageAssets => ({
  style: readAsset(join(directory, 'report.css')),
  script: readAsset(join(directory, 'report.js')),
})

function readAsset(path: string): PageAsset {
  const text = readFileSync(path, 'utf8')
  return { text, sha256Base64: createHash('sha256').update(text).digest('base64') }
}
