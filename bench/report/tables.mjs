/** The saved results as tables of Markdown. */
import { bounds, goals } from './goals.mjs'

const number = (value) =>
  value === null || value === undefined ? '' : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

const times = (ratio) => (ratio === null || ratio === undefined ? '' : `${number(ratio)}x`)

function machineLine({ date, cpu, memoryGb, system, kernel, node, java, rows }) {
  const parts = [date, cpu, `${memoryGb} GB`, system, `Linux ${kernel}`, `Node ${node}`]
  const commits = [...new Set(rows.map(({ commit }) => commit))]
  return [...parts, ...(java ? [`Java ${java}`] : []), `commit ${commits.join(' and ')}`].join(', ')
}

function goalOf({ name }) {
  if (name in goals) return `>= ${goals[name]}x`
  return name in bounds ? `<= ${bounds[name]} of ours` : ''
}

function reached({ name, ratio, value }) {
  if (name in goals) return ratio >= goals[name] ? 'yes' : 'no'
  if (name in bounds) return value <= bounds[name] ? 'yes' : 'no'
  return ''
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

const againstKafka = ({ peer }) => peer === 'kafka'

/** Which bench/broker/groups.mjs a row comes from, as far as the tables tell them apart. */
function part(name) {
  if (/^(librdkafka|Java client|KafkaJS|@platformatic)/.test(name)) return "Under other people's clients"
  if (name.startsWith('flush')) return 'Flushed: on disk before it is acknowledged, on both sides'
  if (/^(start|resident)/.test(name)) return 'Start and memory'
  return 'Cached: acknowledged from the page cache, on both sides'
}

function brokerSection(result, plots) {
  const rows = result.rows.filter(againstKafka)
  const parts = [...new Set(rows.map(({ name }) => part(name)))].toSorted()
  const tables = parts.map((title) => {
    const lines = rows
      .filter(({ name }) => part(name) === title)
      .map((row) => [
        row.name,
        `${number(row.value)} ${row.unit}`,
        `${number(row.peerValue)} ${row.unit}`,
        times(row.ratio),
        goalOf(row),
        reached(row),
      ])
    return `### ${title}\n\n${table(['', 'Seglog', 'Apache Kafka', 'better by', 'goal', 'reached'], lines)}`
  })
  const others = result.rows.filter((row) => !againstKafka(row))
  const alone = table(
    ['', '', ''],
    others.map(({ name, value, unit, peer, peerValue }) => [
      name,
      `${number(value)} ${unit}`,
      peer === 'bound' ? `at most ${number(peerValue)}` : '',
    ]),
  )
  return [
    '## The broker and Apache Kafka 4.3.1',
    `\`npm run bench -- broker\`: ${machineLine(result)}.`,
    ...plots.map((file) => `![](results/${file})`),
    'Medians of alternating rounds; "better by" is the median of the rounds\' ratios, above 1 where Seglog is better. How each row is measured: [README.md](README.md).',
    ...tables,
    '### By itself',
    alone,
  ].join('\n\n')
}

function zeroCopySection(result) {
  const lines = result.rows.map(({ name, value, unit, ratio }) => [name, `${number(value)} ${unit}`, times(ratio)])
  return [
    '## From a file to a socket',
    `\`npm run bench -- zero-copy\`: ${machineLine(result)}. Loopback, where no card fetches the bytes by itself.`,
    '![](../docs/zero-copy.svg)',
    table(['', '', 'better than read + write by'], lines),
  ].join('\n\n')
}

/** bench/RESULTS.md */
export function resultsPage({ broker, 'zero-copy': zeroCopy }, plots) {
  const sections = ['# Results', 'Written by `npm run bench`; see [README.md](README.md).']
  if (broker) sections.push(brokerSection(broker, plots))
  if (zeroCopy) sections.push(zeroCopySection(zeroCopy))
  return `${sections.join('\n\n')}\n`
}

/** The rows that the goals are about, and every row that Kafka wins. */
export function readmeTable(result) {
  const shown = result.rows.filter(
    (row) => againstKafka(row) && (row.name in goals || row.name in bounds || (row.ratio !== null && row.ratio < 1)),
  )
  const lines = shown.map((row) => [
    row.name,
    `${number(row.value)} ${row.unit}`,
    `${number(row.peerValue)} ${row.unit}`,
    times(row.ratio),
    goalOf(row),
  ])
  return [
    '',
    table(['', 'Seglog', 'Apache Kafka 4.3.1', 'better by', 'goal'], lines),
    '',
    `${machineLine(result)}. All rows: [bench/RESULTS.md](bench/RESULTS.md).`,
    '',
  ].join('\n')
}
