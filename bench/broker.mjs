/**
 * The judge: Seglog's broker and Apache Kafka under the same load generator, pinned alike, in alternating rounds; what is
 * acknowledged is read back and counted. `bench/README.md` tells how each row is measured, bench/broker/options.mjs what
 * may be asked for.
 */
import { join } from 'node:path'
import { buildLoad } from '../scripts/build-bench.mjs'
import { ceilings } from './broker/ceiling.mjs'
import { consumeScenarios } from './broker/consume.mjs'
import { createScenarios } from './broker/create.mjs'
import { Figures } from './broker/figures.mjs'
import { flushScenarios } from './broker/flush.mjs'
import { foreignScenarios, prepareClients } from './broker/foreign.mjs'
import { groups } from './broker/groups.mjs'
import { capacityOf, latencyScenarios } from './broker/latency.mjs'
import { parseOptions } from './broker/options.mjs'
import { produceScenarios } from './broker/produce.mjs'
import { replayScenarios } from './broker/replay.mjs'
import { smallRequestScenarios } from './broker/small-requests.mjs'
import { startRows } from './broker/start.mjs'
import { cost } from './broker/units.mjs'
import { withFolder } from './lib/rounds.mjs'
import { fetchKafka, startKafka, startSeglog } from './lib/servers.mjs'
import { touchPages } from './lib/touch-pages.mjs'

/** A whole run is kept: one that was not narrowed. */
export const saved = (args) => parseOptions(args).whole

const starts = { seglog: startSeglog, kafka: startKafka }

const scenarios = [
  ...produceScenarios,
  ...smallRequestScenarios,
  ...consumeScenarios,
  ...latencyScenarios,
  ...replayScenarios,
  ...createScenarios,
  ...flushScenarios,
  ...foreignScenarios,
]

export async function run(report, args = []) {
  const options = parseOptions(args)
  const wanted = chooser(options.rows)
  const chosen = scenarios.filter(({ rows }) => Object.keys(rows).some(wanted))
  await buildLoad()
  if (options.servers.includes('kafka')) fetchKafka()
  if (chosen.some(({ group }) => group === 'foreign')) prepareClients()
  await ceilings(report, wanted, options)
  await startRows(report, wanted, options, starts)
  let capacity = options.capacity
  for (const [name, group] of Object.entries(groups)) {
    const mine = chosen.filter((scenario) => scenario.group === name)
    if (mine.length === 0) continue
    const figures = new Figures()
    if (group.needsCapacity) capacity ??= await capacityOfSlower(group, options)
    const rounds = Math.min(options.rounds, group.mostRounds ?? options.rounds)
    for (let round = 0; round < rounds; round += 1) {
      for (const server of inTurn(options.servers, round)) {
        await measure(server, round, group, mine, figures, options, { capacity })
      }
    }
    figures.report(report, wanted)
  }
}

/** True for the rows that are asked for: a row's whole name means that row alone, else a part of names all that have it. */
function chooser(parts) {
  if (parts === null) return () => true
  const names = new Set(scenarios.flatMap(({ rows }) => Object.keys(rows)))
  return (row) => parts.some((part) => (names.has(part) ? row === part : row.includes(part)))
}

/** Who went second goes first in the next round. */
function inTurn(servers, round) {
  return round % 2 === 0 ? servers : servers.toReversed()
}

async function measure(name, round, group, chosen, figures, options, context) {
  const megabytes = chosen.reduce((sum, scenario) => sum + scenario.megabytes, 700)
  await withServer(name, group, megabytes * options.scale, async (server) => {
    await group.warm(server, options.scale)
    for (const { rows, run: work } of chosen) {
      const values = await work(server, options.scale, context)
      for (const [row, kind] of Object.entries(rows)) figures.note(row, kind, name, round, values[row])
    }
    if (group.memoryRow) figures.note(group.memoryRow, cost('MB'), name, round, server.residentMegabytes())
  })
}

async function withServer(name, group, megabytes, work) {
  await withFolder(async (folder) => {
    touchPages(folder, megabytes)
    const server = await starts[name](join(folder, name), group)
    try {
      await work(server)
    } finally {
      await server.stop()
    }
  }, group.folder)
}

async function capacityOfSlower(group, options) {
  const found = []
  for (const name of options.servers) {
    await withServer(name, group, 700 * options.scale, async (server) => {
      await group.warm(server, options.scale)
      found.push(await capacityOf(server, options.scale))
    })
  }
  return Math.min(...found)
}
