// SDEverywhere depends on an Excel reader that is not in the npm registry. The models timed here
// read no workbook, so this stands in for it.
export default {
  set_fs() {},
  readFile() {
    throw new Error('no workbook is read in this benchmark')
  },
}
