/**
 * kill -9 with a 10 GB log in 100 partitions: time of a new process until the first read and append on every partition
 * succeeded, against the same over a directory with 100 empty partitions.
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { bigLogProgram, firstLine, timed } from './lib/children.mjs'
import { median, withFolder } from './lib/rounds.mjs'

const touchAll = `
const { open } = require('seglog')
async function main(folder) {
  const start = process.hrtime.bigint()
  const log = await open(folder)
  const ends = await log.admin().listOffsets({ topic: 'bench' })
  const producer = log.producer({ acks: 1 })
  await Promise.all(ends.map(async ({ partition, latest }) => {
    if (latest > 0n) {
      const consumer = log.consumer()
      await consumer.assign([{ topic: 'bench', partition, offset: latest - 1n }])
      for await (const message of consumer) {
        if (message.offset < latest - 1n) throw new Error('wrong offset')
        break
      }
      await consumer.close()
    }
    const [result] = await producer.send({ topic: 'bench', messages: [{ value: 'after', partition }] })
    if (result.baseOffset !== latest) throw new Error('appended at ' + result.baseOffset + ', due at ' + latest)
  }))
  process.stdout.write(String(Number(process.hrtime.bigint() - start) / 1e6))
  process.exit(0)
}
main(process.argv[1])
`

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
        times.push(Number((await timed(['-e', touchAll, data])).output))
      }
      figures[name] = median(times)
      rmSync(data, { recursive: true, force: true })
    }
    report.row({
      name: `recovery of ${Math.round(bytes / 2 ** 30)} GiB in 100 partitions after kill -9`,
      value: figures.full,
      unit: 'ms',
      peer: 'empty start',
      peerValue: figures.empty,
      ratio: figures.empty / figures.full,
    })
    report.row({
      name: 'recovery above an empty start',
      value: figures.full - figures.empty,
      unit: 'ms',
      peer: 'bound',
      peerValue: 300,
      ratio: 300 / Math.max(1, figures.full - figures.empty),
    })
  })
}
