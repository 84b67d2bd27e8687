// One benchmark in this process: imports it, calls its `run(report)`, prints each row. Started by bench.mjs.
const [name, file, format, ...options] = process.argv.slice(2)
const { run } = await import(file)

const round = (value) => (value === null ? null : Number(value.toPrecision(4)))

/** Takes { name, value, unit, peer?, peerValue?, ratio? }; the ratio is value / peerValue unless it is given. */
function report({ name: row, value, unit, peer = null, peerValue = null, ratio = peerValue && value / peerValue }) {
  const line = { bench: name, name: row, value, unit, peer, peerValue, ratio: round(ratio) }
  if (format === 'json') return console.log(JSON.stringify(line))
  const number = (amount) => amount.toLocaleString('en-US', { maximumSignificantDigits: 4 })
  const against = peer === null ? '' : `${peer} ${peerValue === null ? '' : number(peerValue)}  (${line.ratio}x)`
  console.log(`${row.padEnd(52)} ${number(value).padStart(14)} ${unit.padEnd(12)} ${against}`)
}

if (format === 'table') console.log(`\n${name}`)
await run(report, options)
