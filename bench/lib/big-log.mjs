/** A child process: writes `bytes` over `partitions` partitions through the library, then closes or waits to be killed. */
import { open } from 'seglog'
import { bufferArrays } from './records.mjs'

const { folder, bytes, partitions, close } = JSON.parse(process.argv[2])
const log = await open(folder)
await log.admin().createTopic({ topic: 'bench', partitions })
const producer = log.producer({ acks: 1 })
const arrays = bufferArrays(20_000, 1024, 1000)
const perPartition = Math.floor(bytes / partitions)
const began = Date.now()
for (let written = 0, n = 0; written < perPartition; written += arrays[0].length * 1024, n += 1) {
  for (let at = 0; at < partitions; at += 8) {
    await Promise.all(
      Array.from({ length: Math.min(8, partitions - at) }, (_, i) =>
        producer.send({
          topic: 'bench',
          messages: arrays[n % arrays.length].map(({ value }) => ({ value, partition: at + i, timestamp: began + n })),
        }),
      ),
    )
  }
}
const rss = process.memoryUsage.rss() / 1e6
if (close) await log.close()
process.stdout.write(`${JSON.stringify({ rss })}\n`)
if (!close) setInterval(() => {}, 1000)
