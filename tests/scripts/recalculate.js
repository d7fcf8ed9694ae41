// Recalculate a workbook with HyperFormula, which reads no files: ExcelJS reads it. Prints {sheet: {cell: value}}.
// node recalculate.js FILE '[["Class sheet", "G31", 0.25], …]'
import Excel from 'exceljs'
import { HyperFormula } from 'hyperformula'

const [file, edits] = process.argv.slice(2)
const book = new Excel.Workbook()
await book.xlsx.readFile(file)
const sheets = {}
for (const sheet of book.worksheets) {
  const rows = (sheets[sheet.name] = [])
  sheet.eachRow({ includeEmpty: true }, row => {
    const cells = []
    row.eachCell({ includeEmpty: true }, cell => {
      const typed = typeof cell.value === 'string' ? `'${cell.value}` : cell.value
      cells.push(cell.isMerged && cell.master !== cell ? null : cell.formula ? `=${cell.formula}` : typed)
    })
    rows.push(cells)
  })
}
const engine = HyperFormula.buildFromSheets(sheets, { licenseKey: 'gpl-v3', smartRounding: false })
for (const [sheet, cell, value] of JSON.parse(edits)) {
  const id = engine.getSheetId(sheet)
  engine.setCellContents(engine.simpleCellAddressFromString(cell, id), [[value]])
}
const found = {}
for (const name of Object.keys(sheets)) {
  const id = engine.getSheetId(name)
  found[name] = {}
  engine.getSheetValues(id).forEach((cells, row) => {
    cells.forEach((value, col) => {
      if (value !== null) {
        found[name][engine.simpleCellAddressToString({ sheet: id, row, col }, id)] = value
      }
    })
  })
}
process.stdout.write(JSON.stringify(found))
