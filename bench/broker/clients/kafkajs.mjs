/** KafkaJS as a load: BOOTSTRAP produce|consume TOPIC RECORDS SIZE. Prints {"seconds"}. */
import { Kafka, logLevel } from 'kafkajs'

const [bootstrap, work, topic, records, size] = process.argv.slice(2)
const perSend = Math.ceil(1_000_000 / Number(size))
const kafka = new Kafka({ clientId: 'bench', brokers: [bootstrap], logLevel: logLevel.ERROR })

async function produce() {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const value = Buffer.alloc(Number(size), 'x')
  const began = performance.now()
  for (let left = Number(records); left > 0; left -= perSend) {
    const messages = Array.from({ length: Math.min(perSend, left) }, () => ({ value, partition: 0 }))
    await producer.send({ topic, acks: -1, messages })
  }
  const seconds = (performance.now() - began) / 1000
  await producer.disconnect()
  return seconds
}

async function consume() {
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}`, maxBytesPerPartition: 1 << 20 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let [count, began] = [0, 0]
  await new Promise((resolve) => {
    consumer.run({
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch }) => {
        if (count === 0) began = performance.now()
        count += batch.messages.length
        if (count >= Number(records)) resolve()
      },
    })
  })
  const seconds = (performance.now() - began) / 1000
  await consumer.disconnect()
  return seconds
}

const seconds = await (work === 'produce' ? produce() : consume())
console.log(JSON.stringify({ seconds }))
