/** 1,000 partitions, created as 1,000 topics and written once each: time and the space they take. */
import { execFileSync } from 'node:child_process'
import { open } from 'seglog'
import { seconds, withFolder } from './lib/rounds.mjs'

export async function run(report) {
  await withFolder(async (folder) => {
    const count = 1000
    const log = await open(folder)
    const admin = log.admin()
    const created = await seconds(() =>
      admin.createTopics({ topics: Array.from({ length: count }, (_, n) => ({ topic: `topic-${n}`, partitions: 1 })) }),
    )
    const producer = log.producer({ acks: 1 })
    const written = await seconds(() =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          producer.send({ topic: `topic-${n}`, messages: [{ value: `hello ${n}` }] }),
        ),
      ),
    )
    const kilobytes = Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0])
    const rss = process.memoryUsage.rss() / 1e6
    const closed = await seconds(() => log.close())
    report({ name: '1000 partitions created', value: created, unit: 's' })
    report({ name: '1000 partitions written once each', value: written, unit: 's' })
    report({ name: '1000 partitions closed', value: closed, unit: 's' })
    report({ name: '1000 nearly empty partitions on disk', value: kilobytes / 1024, unit: 'MiB' })
    report({ name: 'resident memory with 1000 partitions open', value: rss, unit: 'MB' })
  })
}
