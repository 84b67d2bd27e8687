/** Start to first record and resident memory, against a bare `node -e 0` in the same run; memory after writing 10 GB. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bigLogProgram, firstLine, timed } from './lib/children.mjs'
import { median, withFolder } from './lib/rounds.mjs'

const bare = 'process.stdout.write(String(process.memoryUsage.rss()))'
const firstRecord = fileURLToPath(new URL('./lib/first-record.cjs', import.meta.url))

export async function run(report) {
  await withFolder(async (folder) => {
    const figures = { bare: [], seglog: [] }
    for (let round = 0; round < 15; round += 1) {
      figures.bare.push(await timed(['-e', bare]))
      figures.seglog.push(await timed([firstRecord, join(folder, `data-${round}`)]))
    }
    const ms = (name) => median(figures[name].map((run) => run.firstMs))
    const rss = (name) => median(figures[name].map((run) => Number(run.output) / 1e6))
    report({
      name: 'start to first record',
      value: ms('seglog'),
      unit: 'ms',
      peer: 'node -e 0',
      peerValue: ms('bare'),
      ratio: ms('bare') / ms('seglog'),
    })
    report({
      name: 'start to first record above bare Node',
      value: ms('seglog') - ms('bare'),
      unit: 'ms',
      peer: 'bound',
      peerValue: 50,
      ratio: 50 / (ms('seglog') - ms('bare')),
    })
    report({
      name: 'resident memory above bare Node',
      value: rss('seglog') - rss('bare'),
      unit: 'MB',
      peer: 'bound',
      peerValue: 30,
      ratio: 30 / (rss('seglog') - rss('bare')),
    })
  })
  await withFolder(async (folder) => {
    const { line, child } = await firstLine([
      bigLogProgram,
      JSON.stringify({ folder: join(folder, 'data'), bytes: 10 * 2 ** 30, partitions: 4, close: true }),
    ])
    child.kill()
    report({
      name: 'resident memory after writing 10 GB',
      value: line.rss,
      unit: 'MB',
      peer: 'bound',
      peerValue: 150,
      ratio: 150 / line.rss,
    })
  })
}
