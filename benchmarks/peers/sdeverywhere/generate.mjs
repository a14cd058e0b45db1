// Usage: node generate.mjs MODEL.mdl SPEC.json OUT_FOLDER: writes OUT_FOLDER/model.c
import fs from 'node:fs'
import path from 'node:path'
import { parseAndGenerate } from '@sdeverywhere/compile'

const [model, specFile, out] = process.argv.slice(2)
const spec = JSON.parse(fs.readFileSync(specFile, 'utf8'))
const text = fs.readFileSync(model, 'utf8')
await parseAndGenerate(text, 'vensim', spec, ['generateC'], path.dirname(model), 'model', out)
