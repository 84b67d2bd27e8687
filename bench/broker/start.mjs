/** From the start of the process to the first answered request, beside a bare `node -e 0`, and the memory of doing nothing. */
import { join } from 'node:path'
import { timed } from '../lib/children.mjs'
import { median, withFolder } from '../lib/rounds.mjs'
import { Figures } from './figures.mjs'
import { cost, milliseconds } from './units.mjs'

const first = 'start to first answer'
const idle = 'resident memory, idle'
const overNode = 'start over bare Node'

export async function startRows(report, wanted, { servers, rounds }, starts) {
  if (![first, idle, overNode].some(wanted)) return
  const figures = new Figures()
  const ours = []
  for (let round = 0; round < rounds; round += 1) {
    for (const name of servers) {
      await withFolder(async (folder) => {
        const server = await starts[name](join(folder, name))
        figures.note(first, milliseconds, name, round, server.firstAnswerMs)
        figures.note(idle, cost('MB'), name, round, server.residentMegabytes())
        if (name === 'seglog') ours.push(server.firstAnswerMs)
        await server.stop()
      })
    }
  }
  figures.report(report, wanted)
  if (ours.length === 0 || !wanted(overNode)) return
  const bare = []
  for (let i = 0; i < 9; i += 1) bare.push((await timed(['-e', 'process.stdout.write("x")'])).ms)
  const value = median(ours) / median(bare)
  report({ name: overNode, value, unit: 'times', peer: 'bound', peerValue: 2.6, ratio: 2.6 / value })
}
