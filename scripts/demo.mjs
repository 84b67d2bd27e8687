// The embedded log at work: real text in, everything back out, compared.
//   npm run demo                          every line of the .js, .ts and .md files under node_modules
//   npm run demo -- --file F [--file G]   every line of these files instead
//   npm run demo -- --data DIR            into a new directory of your own (default: one that is made anew each time)
// Ends with exit code 1 if a record is missing, doubled, changed or out of order.
import { createHash } from 'node:crypto'
import { existsSync, opendirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { cacheFolder, filesUnder, root, tryRun } from './shared.mjs'

const { open, partitionForKey } = createRequire(import.meta.url)(join(root, 'dist', 'index.js'))

const topic = 'lines'
const partitions = 4
const newline = 0x0a
/** Files on their way at once. */
const sendsMax = 16

/** Files of text below a folder, in a fixed order; links are not followed. */
function* textFiles(folder) {
  const directory = opendirSync(folder)
  const entries = []
  for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) entries.push(entry)
  directory.closeSync()
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && entry.name !== '.cache') yield* textFiles(path)
    else if (entry.isFile() && /\.(js|ts|md)$/.test(entry.name)) yield path
  }
}

/** The lines of a file as they stand there, without their newlines. */
function linesOf(bytes) {
  const lines = []
  let start = 0
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  if (start < bytes.length) lines.push(bytes.subarray(start))
  return lines
}

/** Count and digest of the records of one partition; the digest depends on their order and on every byte. */
class Tally {
  records = 0
  bytes = 0
  #hash = createHash('sha256')
  #buffer = Buffer.allocUnsafe(1 << 20)
  #filled = 0

  add(bytes, keyStart, keyLength, valueStart, valueLength) {
    this.#part(bytes, keyStart, keyLength)
    this.#part(bytes, valueStart, valueLength)
    this.records += 1
    this.bytes += valueLength
  }

  addRecord(key, value) {
    this.#part(key, 0, key.length)
    this.#part(value, 0, value.length)
    this.records += 1
    this.bytes += value.length
  }

  digest() {
    this.#flush()
    return this.#hash.digest('hex')
  }

  #part(bytes, start, length) {
    if (this.#filled + 4 + length > this.#buffer.length) this.#flush()
    this.#filled = this.#buffer.writeInt32LE(length, this.#filled)
    if (length <= this.#buffer.length - this.#filled) {
      bytes.copy(this.#buffer, this.#filled, start, start + length)
      this.#filled += length
      return
    }
    this.#flush()
    this.#hash.update(bytes.subarray(start, start + length))
  }

  #flush() {
    this.#hash.update(this.#buffer.subarray(0, this.#filled))
    this.#filled = 0
  }
}

const tallies = () => Array.from({ length: partitions }, () => new Tally())
const total = (all, what) => all.reduce((sum, tally) => sum + tally[what], 0)
const number = (value) => Math.round(value).toLocaleString('en-US')
const rate = (all, seconds) =>
  `${number(total(all, 'records') / seconds)} records/s, ${number(total(all, 'bytes') / seconds / 1e6)} MB/s`

async function seconds(work) {
  const startMs = performance.now()
  await work()
  return (performance.now() - startMs) / 1000
}

/** Writes every line, keyed by its file, and tells what should be in each partition. */
async function write(data, files) {
  const written = tallies()
  let count = 0
  const log = await open(data)
  await log.admin().createTopic({ topic, partitions })
  const producer = log.producer()
  const took = await seconds(async () => {
    const running = new Set()
    for (const file of files) {
      const name = relative(root, file)
      const key = Buffer.from(name)
      const lines = linesOf(readFileSync(file))
      const tally = written[partitionForKey(key, partitions)]
      for (const line of lines) tally.addRecord(key, line)
      count += 1
      const send = producer.send({ topic, messages: lines.map((value) => ({ key, value })) })
      const done = send.then(() => running.delete(done))
      running.add(done)
      if (running.size >= sendsMax) await Promise.race(running)
    }
    await Promise.all(running)
  })
  const closing = await seconds(() => log.close())
  console.log(
    `wrote  ${number(total(written, 'records'))} lines of ${number(count)} files, ${number(total(written, 'bytes') / 1e6)} MB`,
  )
  console.log(`       to topic ${topic}, ${partitions} partitions, in ${data}`)
  console.log(
    `       in ${took.toFixed(2)} s on disk (acks all): ${rate(written, took)}; closed in ${closing.toFixed(2)} s`,
  )
  return written
}

/** Reads everything through another open of the directory. */
async function readBack(data, expected) {
  const read = tallies()
  const log = await open(data, { readOnly: true })
  const ends = await log.admin().listOffsets({ topic })
  const there = ends.reduce((sum, { earliest, latest }) => sum + Number(latest - earliest), 0)
  const consumer = log.consumer({ from: 'earliest' })
  await consumer.subscribe([topic])
  const took = await seconds(async () => {
    let left = there
    if (left === 0) return
    for await (const batch of consumer.batches()) {
      const tally = read[batch.partition]
      batch.forEachView((bytes, valueStart, valueLength, keyStart, keyLength) =>
        tally.add(bytes, keyStart, keyLength, valueStart, valueLength),
      )
      left -= batch.count
      if (left <= 0) break
    }
  })
  await log.close()
  console.log(`read   ${number(total(read, 'records'))} records in ${took.toFixed(2)} s: ${rate(read, took)}`)
  return read.map((tally, partition) => {
    const [was, is] = [expected[partition].digest(), tally.digest()]
    const isEqual = tally.records === expected[partition].records && is === was
    const records = `${number(tally.records)} of ${number(expected[partition].records)} records`
    console.log(
      `       partition ${partition}: ${records}, sha256 ${is.slice(0, 16)} ${isEqual ? '= source' : `!= ${was.slice(0, 16)}`}`,
    )
    return isEqual
  })
}

function printFiles(data) {
  for (const file of filesUnder([relative(root, data)], (path) => /\/\d{20}\./.test(path))) {
    const { size } = statSync(join(root, file))
    console.log(`       ${number(size).padStart(15)}  ${relative(data, join(root, file))}`)
  }
}

async function main() {
  const { values } = parseArgs({
    options: { file: { type: 'string', multiple: true }, data: { type: 'string' } },
  })
  const data = values.data === undefined ? join(cacheFolder, 'demo') : resolve(values.data)
  if (values.data === undefined) rmSync(data, { recursive: true, force: true })
  else if (existsSync(data)) throw new Error(`${data} exists: name a directory that does not`)
  const files = values.file?.map((file) => resolve(file)) ?? textFiles(join(root, 'node_modules'))
  const written = await write(data, files)
  console.log('files')
  printFiles(data)
  const equal = await readBack(data, written)
  const isSound = tryRun(process.execPath, [join(root, 'dist', 'cli.js'), 'log', 'verify', data]) === 0
  if (!equal.every(Boolean) || !isSound) throw new Error('what was read is not what was written')
  console.log(
    `match  ${number(total(written, 'records'))} records, counts and digests of all partitions are those of the source`,
  )
}

main().catch((error) => {
  console.error(`FAILED: ${error.stack ?? error}`)
  process.exitCode = 1
})
