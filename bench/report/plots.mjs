/** Plots of the broker's results: by how much each row is better or worse than Kafka's, on a logarithmic axis. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { goals } from './goals.mjs'

/** vega and vega-lite are installed with the benches' peers. */
async function rendered(spec) {
  const require = createRequire(import.meta.url)
  const load = async (name) => import(pathToFileURL(require.resolve(name)).href)
  const [vega, lite] = await Promise.all([load('vega'), load('vega-lite')])
  const view = new vega.View(vega.parse(lite.compile(spec).spec), { renderer: 'none' })
  return `${await view.toSVG()}\n`
}

function ratioPlot(title, rows) {
  const values = rows.map(({ name, ratio }) => ({
    name,
    ratio,
    label: `${ratio}x`,
    who: ratio >= 1 ? 'Seglog is better' : 'Kafka is better',
    goal: goals[name] ?? null,
  }))
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 420 } }
  const scale = { type: 'log', base: 10 }
  return {
    title: { text: title, anchor: 'start' },
    background: 'white',
    width: 420,
    height: { step: 18 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          y,
          x: { field: 'ratio', type: 'quantitative', scale, title: 'times better than Apache Kafka (1: equal)' },
          x2: { datum: 1 },
          color: {
            field: 'who',
            type: 'nominal',
            title: null,
            scale: { domain: ['Seglog is better', 'Kafka is better'], range: ['#2f7ebc', '#d1605e'] },
            legend: { orient: 'bottom' },
          },
        },
      },
      {
        transform: [{ filter: 'isValid(datum.goal)' }],
        mark: { type: 'tick', thickness: 2, color: 'black', size: 16 },
        encoding: { y, x: { field: 'goal', type: 'quantitative', scale } },
      },
      { mark: { type: 'rule', color: 'black' }, encoding: { x: { datum: 1, type: 'quantitative', scale } } },
    ],
  }
}

/** File names and their SVG. */
export async function drawRatios({ rows }) {
  const compared = rows.filter(({ peer, ratio }) => peer === 'kafka' && ratio !== null)
  const foreign = compared.filter(({ name }) => /^(librdkafka|Java client|KafkaJS|@platformatic)/.test(name))
  const own = compared.filter((row) => !foreign.includes(row))
  const plots = {}
  const add = async (file, title, some) => {
    if (some.length > 0) plots[file] = await rendered(ratioPlot(title, some))
  }
  const aimed = own.filter(({ name }) => name in goals)
  await add('broker-goals.svg', 'Seglog against Apache Kafka; ticks are the goals', aimed)
  await add(
    'broker-rows.svg',
    'The other rows of the same load generator',
    own.filter((row) => !aimed.includes(row)),
  )
  await add('broker-clients.svg', "Under other people's clients", foreign)
  return plots
}
