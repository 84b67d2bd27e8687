/**
 * kill -9 with a 10 GB log in 100 partitions: time of a new process until the first read and append on every partition
 * succeeded, against the same over a directory with 100 empty partitions.
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bigLogProgram, firstLine, timed } from './lib/children.mjs'
import { median, withFolder } from './lib/rounds.mjs'

const touchAll = fileURLToPath(new URL('./lib/touch-all.cjs', import.meta.url))

export async function run(report) {
  await withFolder(async (folder) => {
    const bytes = Number(process.env.SEGLOG_BENCH_BYTES ?? 10 * 2 ** 30)
    const figures = {}
    for (const [name, size] of [
      ['empty', 0],
      ['full', bytes],
    ]) {
      const data = join(folder, name)
      const { child } = await firstLine([
        bigLogProgram,
        JSON.stringify({ folder: data, bytes: size, partitions: 100, close: false }),
      ])
      const times = []
      for (let round = 0; round < 5; round += 1) {
        if (round === 0) {
          child.kill('SIGKILL')
          await once(child, 'exit')
        }
        times.push(Number((await timed([touchAll, data])).output))
      }
      figures[name] = median(times)
      rmSync(data, { recursive: true, force: true })
    }
    report({
      name: `recovery of ${Math.round(bytes / 2 ** 30)} GiB in 100 partitions after kill -9`,
      value: figures.full,
      unit: 'ms',
      peer: 'empty start',
      peerValue: figures.empty,
      ratio: figures.empty / figures.full,
    })
    report({
      name: 'recovery above an empty start',
      value: figures.full - figures.empty,
      unit: 'ms',
      peer: 'bound',
      peerValue: 300,
      ratio: 300 / Math.max(1, figures.full - figures.empty),
    })
  })
}
