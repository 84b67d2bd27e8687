import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, cpSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { type OpenOptions, open, type SeglogLog } from '../../ts/index.js'
import { temporaryFolder } from '../cli/run-cli.js'
import { rejection } from '../client/rejection.js'

const library = join(__dirname, '../../dist/index.js')

/** An open log that is closed when the test ends; of a new folder unless one is named. */
export async function openLog(path: string = temporaryFolder(), options?: OpenOptions): Promise<SeglogLog> {
  const log = await open(path, options)
  onTestFinished(() => log.close().catch(() => {}))
  return log
}

/** Fails unless the promise is refused by a SeglogError with this code, whose message matches all of `says`. */
export async function refused(
  promise: Promise<unknown>,
  code: string,
  ...says: RegExp[]
): Promise<Record<string, unknown>> {
  const error = await rejection(promise)
  expect(error).toMatchObject({ name: 'SeglogError', code })
  for (const said of says) expect(error.message).toMatch(said)
  return error
}

/** Sends one value with acks 'all' and gives its offset. */
export async function sendDurably(
  log: SeglogLog,
  topic: string,
  value: string | Buffer,
  partition = 0,
): Promise<bigint> {
  const [result] = await log.producer({ acks: 'all' }).send({ topic, messages: [{ value, partition }] })
  return result.baseOffset
}

/** All values of one partition as of now. */
export async function valuesOf(log: SeglogLog, topic: string, partition = 0): Promise<string[]> {
  const [{ earliest, latest }] = await log.admin().listOffsets({ topic, partitions: [partition] })
  const values: string[] = []
  if (earliest === latest) return values
  const consumer = log.consumer()
  await consumer.assign([{ topic, partition, offset: earliest }])
  for await (const { value, offset } of consumer) {
    values.push(String(value))
    if (offset + 1n >= latest) break
  }
  await consumer.close()
  return values
}

/** Another partition of the same log: whatever is done to the others, it keeps what it acknowledged and takes more. */
export class Bystander {
  private readonly acknowledged: string[] = []

  private constructor(private readonly log: SeglogLog) {}

  static async in(log: SeglogLog): Promise<Bystander> {
    const bystander = new Bystander(log)
    await bystander.goesOn()
    return bystander
  }

  async goesOn(): Promise<void> {
    const value = `record ${this.acknowledged.length}`
    await sendDurably(this.log, 'bystander', value)
    this.acknowledged.push(value)
    expect(await valuesOf(this.log, 'bystander')).toEqual(this.acknowledged)
  }
}

/** The library in a process of its own. `program` sees `open` and, as `data`, what it is given; it may be async. */
export class Child {
  output = ''
  errors = ''
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly process: ChildProcess

  constructor(program: string, data: unknown, options: { descriptors?: number } = {}) {
    const source = `
      const { open } = require(${JSON.stringify(library)})
      const data = ${JSON.stringify(data)}
      ;(async () => { ${program} })().catch((error) => { console.error(error); process.exit(1) })`
    const { descriptors } = options
    const [command, ...args] =
      descriptors === undefined
        ? [process.execPath, '-e', source]
        : ['sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, process.execPath, '-e', source]
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.process = child
    child.stdout.on('data', (text) => {
      this.output += text
    })
    child.stderr.on('data', (text) => {
      this.errors += text
    })
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
  }

  /** Resolves when the output contains the text; rejects if the child ends before. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      const more = new Promise((resolve) => this.process.stdout?.once('data', resolve))
      const isOver = await Promise.race([more.then(() => false), this.ended.then(() => true)])
      if (isOver && !this.output.includes(text)) throw new Error(`it ended without saying "${text}": ${this.errors}`)
    }
  }

  /** What it printed, once it ended well. */
  async result(): Promise<string> {
    const ended = await this.ended
    expect({ ...ended, errors: this.errors }).toEqual({ code: 0, signal: null, errors: '' })
    return this.output
  }
}

/** A copy of a data directory as it is now, as `cp -r` makes it. */
export function copyOf(path: string): string {
  const copy = temporaryFolder()
  cpSync(path, copy, { recursive: true, preserveTimestamps: true })
  return copy
}

/** Changes one byte in place. */
export function flipByte(file: string, position: number): void {
  const descriptor = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, position)
  byte[0] ^= 0x40
  writeSync(descriptor, byte, 0, 1, position)
  closeSync(descriptor)
}

/** Every file below a folder with its size and the time of its last change. */
export function listing(path: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const { size, mtimeMs } = statSync(file)
    files[file.slice(path.length + 1)] = `${size} bytes, changed ${mtimeMs}`
  }
  return files
}

export const logFile = (data: string, folder: string, base = 0): string =>
  join(data, folder, `${String(base).padStart(20, '0')}.log`)
