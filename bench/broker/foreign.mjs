/**
 * The same brokers under other people's clients: librdkafka's performance tool, the tools that Kafka ships, KafkaJS and
 * @platformatic/kafka, records of 1 KB (and 100 B where the client is not the limit), batches of up to 1 MB, acks=all.
 * These figures are those of a client and a server together.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { javaConsume, javaProduce } from '../lib/java-tools.mjs'
import { load } from '../lib/load.mjs'
import { buildRdkafka, consume as rdkafkaConsume, produce as rdkafkaProduce } from '../lib/rdkafka.mjs'
import { clientCores, fetchKafka } from '../lib/servers.mjs'
import { freshTopic } from './topics.mjs'
import { cpuSecondsPerGigabyte, megabytesPerSecond } from './units.mjs'

const benchFolder = fileURLToPath(new URL('..', import.meta.url))

/** A Node for clients that want a newer one than this: 24, from npm, where there is one for this machine. */
const newerNode = join(benchFolder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const nodeOfClients = existsSync(newerNode) ? newerNode : process.execPath

/** A program of bench/broker/clients; resolves to megabytes per second. */
function javascript(name, work) {
  return async (bootstrap, topic, records, size) => {
    const file = join(benchFolder, 'broker', 'clients', `${name}.mjs`)
    const args = [nodeOfClients, file, bootstrap, work, topic, String(records), String(size)]
    const child = spawn('taskset', ['-c', clientCores, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`${name} ${work} exited ${code}: ${output}`)
    return (records * size) / 1e6 / JSON.parse(output).seconds
  }
}

const clients = {
  librdkafka: { sizes: { '1KB': 1024, '100B': 100 }, megabytes: 500, produce: rdkafkaProduce, consume: rdkafkaConsume },
  'Java client': { sizes: { '1KB': 1024 }, megabytes: 500, produce: javaProduce, consume: javaConsume },
  KafkaJS: {
    sizes: { '1KB': 1024 },
    megabytes: 200,
    produce: javascript('kafkajs', 'produce'),
    consume: javascript('kafkajs', 'consume'),
  },
  '@platformatic/kafka': {
    sizes: { '1KB': 1024 },
    megabytes: 200,
    produce: javascript('platformatic', 'produce'),
    consume: javascript('platformatic', 'consume'),
  },
}

export const foreignScenarios = Object.entries(clients).flatMap(([client, { sizes, megabytes, produce, consume }]) =>
  Object.entries(sizes).map(([kind, size]) => {
    const works = { [`${client}: produce ${kind}`]: produce, [`${client}: consume ${kind}`]: consume }
    return {
      group: 'foreign',
      rows: Object.fromEntries(
        Object.keys(works).flatMap((name) => [
          [`${name} MB/s`, megabytesPerSecond],
          [`${name} CPU-s/GB`, cpuSecondsPerGigabyte],
        ]),
      ),
      megabytes,
      run: (server, scale) => measure(server, works, Math.floor((megabytes * 1e6 * scale) / size), size),
    }
  }),
)

async function measure(server, works, records, size) {
  const topic = freshTopic('foreign')
  await load(server, 'produce', { topic, create: 1, bytes: 0 })
  const values = {}
  for (const [name, work] of Object.entries(works)) {
    const cpu = server.cpuSeconds()
    values[`${name} MB/s`] = await work(server.bootstrap, topic, records, size)
    values[`${name} CPU-s/GB`] = (server.cpuSeconds() - cpu) / ((records * size) / 1e9)
  }
  return values
}

/** Builds librdkafka's tool and fetches Kafka's jars, which hold the Java client. */
export function prepareClients() {
  fetchKafka()
  buildRdkafka()
}
