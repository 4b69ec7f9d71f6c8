import { writeFileSync } from 'node:fs'
import { jsonSchemaText } from './json-schema.ts'

// Run by the build: node dist/config/write-json-schema.js config/schema.json

const [, , path] = process.argv
if (path === undefined) {
  process.stderr.write('usage: write-json-schema FILE\n')
  process.exitCode = 2
} else writeFileSync(path, jsonSchemaText())
