import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SeglogBroker } from './brokers/seglog-broker.js'
import { fetchJars, KafkaBroker, missingTools, runTool } from './kafka.js'

const folder = mkdtempSync(join(tmpdir(), 'seglog-adopted-'))
const kafka = new KafkaBroker(folder)
const seglog = new SeglogBroker(kafka.data)

afterAll(async () => {
  await kafka.stop('SIGKILL')
  await seglog.stop('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** What a Java consumer of the group is given next. */
function consume(bootstrap: string, count: number): string[] {
  const args = ['--bootstrap-server', bootstrap, '--topic', 'visits', '--group', 'readers', '--from-beginning']
  const limits = ['--max-messages', String(count), '--timeout-ms', '60000']
  return runTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [...args, ...limits])
    .split('\n')
    .filter((line) => line !== '')
}

test.skipIf(missingTools() !== null)(
  'a Java consumer group goes on here where it stopped on Kafka, over the directory that Kafka wrote',
  async () => {
    fetchJars()
    await kafka.start()
    kafka.createTopic('visits', 1)
    const lines = Array.from({ length: 20 }, (_, index) => `visit ${index}`)
    kafka.produce(
      'visits',
      lines.map((line) => `key\t${line}`),
      'lz4',
    )
    expect(consume(kafka.bootstrap, 8)).toEqual(lines.slice(0, 8))
    await kafka.stop()

    await seglog.start()
    expect(consume(seglog.bootstrap, 12)).toEqual(lines.slice(8))
    await seglog.stop()
  },
  180_000,
)
