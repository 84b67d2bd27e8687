/** @platformatic/kafka as a load: BOOTSTRAP produce|consume TOPIC RECORDS SIZE. Prints {"seconds"}. */
import { Consumer, MessagesStreamModes, Producer } from '@platformatic/kafka'

const [bootstrap, work, topic, records, size] = process.argv.slice(2)
const perSend = Math.ceil(1_000_000 / Number(size))
const common = { clientId: 'bench', bootstrapBrokers: [bootstrap] }

async function produce() {
  const producer = new Producer({ ...common, autocreateTopics: false })
  const value = Buffer.alloc(Number(size), 'x')
  const began = performance.now()
  for (let left = Number(records); left > 0; left -= perSend) {
    const messages = Array.from({ length: Math.min(perSend, left) }, () => ({ topic, value, partition: 0 }))
    await producer.send({ acks: -1, messages })
  }
  const seconds = (performance.now() - began) / 1000
  await producer.close()
  return seconds
}

async function consume() {
  const consumer = new Consumer({ ...common, groupId: `bench-${process.pid}`, maxBytes: 8 << 20 })
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false })
  let [count, began] = [0, 0]
  for await (const _ of stream) {
    if (count === 0) began = performance.now()
    count += 1
    if (count >= Number(records)) break
  }
  const seconds = (performance.now() - began) / 1000
  await consumer.close(true)
  return seconds
}

const seconds = await (work === 'produce' ? produce() : consume())
console.log(JSON.stringify({ seconds }))
