// One benchmark in this process: imports it, calls its `run(report)`, prints each row. Started by bench.mjs.
// Rows of a whole run are kept in the file named last, with the machine and the commit they come from; with --save those of
// a narrowed run take their places among the ones that are there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { machine } from './bench-machine.mjs'

const [name, file, format, target, ...given] = process.argv.slice(2)
const options = given.filter((option) => option !== '--save')
const { run, saved = false } = await import(file)
const whole = typeof saved === 'function' ? saved(options) : saved
const rows = []

const round = (value) => (value === null ? null : Number(value.toPrecision(4)))

/** Takes { name, value, unit, peer?, peerValue?, ratio? }; the ratio is value / peerValue unless it is given. */
function report({ name: row, value, unit, peer = null, peerValue = null, ratio = peerValue && value / peerValue }) {
  const line = { bench: name, name: row, value, unit, peer, peerValue, ratio: round(ratio) }
  rows.push(line)
  if (format === 'json') return console.log(JSON.stringify(line))
  const number = (amount) => amount.toLocaleString('en-US', { maximumSignificantDigits: 4 })
  const times = line.ratio === null ? '' : `  (${line.ratio}x)`
  const against = peer === null ? '' : `${peer} ${peerValue === null ? '' : number(peerValue)}${times}`
  console.log(`${row.padEnd(52)} ${number(value).padStart(14)} ${unit.padEnd(12)} ${against}`)
}

if (format === 'table') console.log(`\n${name}`)
await run(report, options)
if (whole || given.includes('--save')) keep()

function keep() {
  const { commit, ...here } = machine()
  const fresh = rows.map(({ bench: _, value, peerValue, ...row }) => {
    return { ...row, value: round(value), peerValue: round(peerValue), commit }
  })
  const old = !whole && existsSync(target) ? JSON.parse(readFileSync(target, 'utf8')).rows : []
  const kept = new Map([...old, ...fresh].map((row) => [row.name, row]))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, `${JSON.stringify({ bench: name, ...here, rows: [...kept.values()] }, null, 2)}\n`)
}
