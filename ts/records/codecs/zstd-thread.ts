import type { Worker } from 'node:worker_threads'

/**
 * A worker thread with its own instance of the zstd module, for input that would hold up the event loop. Started on
 * first use, ended after some seconds without work (a WebAssembly memory never shrinks otherwise); keeps the process
 * alive only while work is pending. Its program is text, so that a bundle needs no second file.
 */

const program = `
const { parentPort, workerData } = require('node:worker_threads')
const zstd = require(workerData)
const ready = zstd.init()
parentPort.on('message', async ({ id, bytes, capacityBytes }) => {
  try {
    await ready
    const result = capacityBytes < 0 ? zstd.compress(bytes) : zstd.decompress(bytes, { defaultHeapSize: capacityBytes })
    parentPort.postMessage({ id, result }, [result.buffer])
  } catch (error) {
    parentPort.postMessage({ id, failure: String(error && error.message) })
  }
})
`

interface Answer {
  id: number
  result?: Uint8Array
  failure?: string
}

interface Waiter {
  resolve(result: Buffer): void
  reject(error: Error): void
}

const idleMs = 5_000
const waiters = new Map<number, Waiter>()
let worker: Worker | null = null
let idleTimer: NodeJS.Timeout | null = null
let lastId = 0

/** Compresses (capacityBytes -1), or inflates one frame that holds at most `capacityBytes`, on the worker thread. */
export function runOnZstdThread(bytes: Buffer, capacityBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const thread = start()
    const id = ++lastId
    waiters.set(id, { resolve, reject })
    const own = new Uint8Array(bytes)
    thread.postMessage({ id, bytes: own, capacityBytes }, [own.buffer])
  })
}

function start(): Worker {
  if (idleTimer !== null) clearTimeout(idleTimer)
  idleTimer = null
  if (worker === null) {
    const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads')
    const started = new Worker(program, { eval: true, workerData: require.resolve('@bokuweb/zstd-wasm') })
    started.on('message', settle)
    started.on('error', (error) => failAll(started, error))
    started.on('exit', (code) => failAll(started, new Error(`the zstd thread ended with code ${code}`)))
    worker = started
  }
  worker.ref()
  return worker
}

function settle({ id, result, failure }: Answer): void {
  const waiter = waiters.get(id)
  waiters.delete(id)
  if (result !== undefined) waiter?.resolve(Buffer.from(result.buffer, result.byteOffset, result.length))
  else waiter?.reject(new Error(failure))
  if (waiters.size > 0) return
  worker?.unref()
  idleTimer = setTimeout(stop, idleMs)
  idleTimer.unref()
}

function stop(): void {
  const idle = worker
  worker = null
  void idle?.terminate()
}

function failAll(ended: Worker, error: Error): void {
  if (worker !== ended) return
  worker = null
  const pending = [...waiters.values()]
  waiters.clear()
  for (const waiter of pending) waiter.reject(error)
}
