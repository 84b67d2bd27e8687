/** Opens a directory, reads the last record of every partition and appends one; prints the milliseconds that took. */
const { open } = require('seglog')
async function main(folder) {
  const start = process.hrtime.bigint()
  const log = await open(folder)
  const ends = await log.admin().listOffsets({ topic: 'bench' })
  const producer = log.producer({ acks: 1 })
  await Promise.all(
    ends.map(async ({ partition, latest }) => {
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
      if (result.baseOffset !== latest) throw new Error(`appended at ${result.baseOffset}, due at ${latest}`)
    }),
  )
  process.stdout.write(String(Number(process.hrtime.bigint() - start) / 1e6))
  process.exit(0)
}
main(process.argv[2])
