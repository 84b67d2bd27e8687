/** The performance tools that Apache Kafka ships, as a load on any broker. Their megabytes are of 2^20 bytes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { clientCores, libraries } from './servers.mjs'

async function run(tool, args) {
  const java = ['java', '-Xmx512m', '-cp', join(libraries, '*'), `org.apache.kafka.tools.${tool}`]
  const child = spawn('taskset', ['-c', clientCores, ...java, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${tool} exited ${code}: ${output}${errors}`)
  return output
}

/** Produces with acks=all to an existing topic; resolves to megabytes per second. */
export async function javaProduce(bootstrap, topic, records, size) {
  const settings = ['acks=all', 'batch.size=1000000', 'linger.ms=5']
  const output = await run('ProducerPerformance', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--num-records', String(records), '--throughput', '-1'],
    ...['--record-size', String(size), '--command-property', ...settings],
  ])
  const [, sent, , speed] =
    [...output.matchAll(/(\d+) records sent, ([\d.]+) records\/sec \(([\d.]+) MB\/sec\)/g)].at(-1) ?? []
  if (Number(sent) !== records) throw new Error(`${sent} of ${records} records were sent: ${output}`)
  return (Number(speed) * (1 << 20)) / 1e6
}

/** Consumes so many records from the beginning; resolves to megabytes per second, joining a group left out. */
export async function javaConsume(bootstrap, topic, records) {
  const output = await run('ConsumerPerformance', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--num-records', String(records), '--hide-header'],
  ])
  const fields = (output.trim().split('\n').at(-1) ?? '').split(',').map((field) => field.trim())
  const [count, speed] = [Number(fields[4]), Number(fields[8])]
  if (count < records) throw new Error(`${count} of ${records} records came back: ${output}`)
  return (speed * (1 << 20)) / 1e6
}
