// @ts-check
// Runs in a report's page: makes its tables sortable and searchable. The page shows everything without it.
'use strict'

const minRowsToSearch = 8

/** @param {HTMLTableCellElement | undefined} cell */
const keyOf = (cell) => {
  const by = cell?.dataset['by']
  return by === undefined ? (cell?.textContent ?? '').toLowerCase() : Number(by)
}

/** @param {HTMLTableElement} table @param {number} index @param {boolean} isDescending */
function sortBy(table, index, isDescending) {
  const body = table.tBodies[0]
  if (!body) return
  const rows = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[index]) }))
  rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  if (isDescending) rows.reverse()
  body.append(...rows.map(({ row }) => row))
}

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])]
  heads.forEach((head, index) => {
    if (head.textContent === '') return
    const button = document.createElement('button')
    button.append(...head.childNodes)
    head.append(button)
    button.addEventListener('click', () => {
      const isDescending = head.getAttribute('aria-sort') !== 'descending'
      for (const other of heads) other.removeAttribute('aria-sort')
      head.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending')
      sortBy(table, index, isDescending)
    })
  })
}

/** @param {HTMLTableElement} table */
function makeSearchable(table) {
  const rows = [...(table.tBodies[0]?.rows ?? [])]
  if (rows.length < minRowsToSearch) return
  const search = document.createElement('input')
  search.type = 'search'
  search.className = 'search'
  search.placeholder = `search ${rows.length} rows`
  search.setAttribute('aria-label', search.placeholder)
  search.addEventListener('input', () => {
    const wanted = search.value.toLowerCase()
    for (const row of rows) row.hidden = !(row.textContent ?? '').toLowerCase().includes(wanted)
  })
  table.parentElement?.before(search)
}

for (const table of document.querySelectorAll('table'))
  if (table.hasAttribute('data-sortable')) {
    makeSortable(table)
    makeSearchable(table)
  }
