// What every loader does with the library: write one record, read it back, close.
const assert = require('node:assert')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

/** Takes the library's exports, however they were loaded. */
module.exports.oneRecord = async function oneRecord({ open }) {
  const folder = mkdtempSync(join(tmpdir(), 'seglog-one-record-'))
  const log = await open(folder)
  try {
    await log.admin().createTopic({ topic: 'orders', partitions: 2 })
    const producer = log.producer({ acks: 'all' })
    const sent = { key: 'c42', value: '{"total":12}', headers: { source: 'web' } }
    const [written] = await producer.send({ topic: 'orders', messages: [sent] })
    assert.strictEqual(written.baseOffset, 0n)

    const consumer = log.consumer()
    await consumer.assign([{ topic: 'orders', partition: written.partition, offset: 0n }])
    for await (const message of consumer) {
      assert.strictEqual(message.offset, 0n)
      assert.strictEqual(message.key.toString(), sent.key)
      assert.strictEqual(message.value.toString(), sent.value)
      break
    }
    await consumer.close()
    await producer.close()
  } finally {
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
