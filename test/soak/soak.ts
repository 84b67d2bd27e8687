import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keepFilesCold } from './cold-files.js'
import { end } from './endings.js'
import { Keeper } from './keeper.js'
import { fewestSamples, growthOf, type RestSample } from './leaks.js'
import { Life } from './life.js'
import { sampleProcess, socketsOf } from './process-sample.js'
import { Random } from './random.js'
import { RawConnection } from './raw-connection.js'
import type { ServedProcess } from './served-process.js'
import type { SoakWorld } from './soak-world.js'

export interface SoakPlan {
  readonly seconds: number
  /** At a time. */
  readonly connections: number
  readonly seed: number
  readonly configs: Readonly<Record<string, string>>
}

/** Longer than anything that a connection here waits for, on the slowest of machines. */
const settleMs = 120_000
const unsettledShown = 5

/** Rounds of load, each with a reading of everything and a rest point at its end. */
export class Soak {
  readonly samples: RestSample[] = []
  readonly #world: SoakWorld
  readonly #server: ServedProcess
  readonly #plan: SoakPlan
  readonly #began = performance.now()
  readonly #alive = new Set<Life>()
  /** Load between two rest points: short in a short soak, since a trend needs some of them. */
  readonly #roundMs: number
  #rounds = 0
  #lives = 0
  #restingSockets = -1

  constructor(world: SoakWorld, server: ServedProcess, plan: SoakPlan) {
    this.#world = world
    this.#server = server
    this.#plan = plan
    this.#roundMs = Math.min(20_000, Math.max(3000, plan.seconds * 80))
  }

  /** Round after round, for the time of the plan or until something is not as it must be. */
  async run(): Promise<void> {
    const until = this.#began + this.#plan.seconds * 1000
    while (this.#world.faults.length === 0 && (performance.now() < until || this.samples.length < fewestSamples)) {
      await this.#round()
    }
  }

  /** Figures of this soak, to be looked into: writes them to a file and prints them in short. */
  record(): void {
    const folder = join(__dirname, '..', '..', 'node_modules', '.cache', 'soak')
    mkdirSync(folder, { recursive: true })
    const counts = Object.fromEntries([...this.#world.counts].sort())
    const { samples } = this
    writeFileSync(join(folder, 'soak.json'), `${JSON.stringify({ ...this.#plan, counts, samples }, null, 1)}\n`)
    const { connections, movedBytes } = this.#world
    console.log(`${connections} connections, ${(movedBytes / 1e9).toFixed(2)} GB:`, counts)
    if (samples.length >= fewestSamples) console.log('bytes grown and allowed:', growthOf(samples))
  }

  async #round(): Promise<void> {
    const world = this.#world
    this.#rounds += 1
    const random = new Random(this.#seedOf(0))
    if (this.#restingSockets < 0) this.#restingSockets = socketsOf(this.#server.pid)
    world.beginRound()
    const timer = setTimeout(() => {
      world.isEnding = true
    }, this.#roundMs)
    try {
      const keeper = await Keeper.open(world, random)
      await keeper.complete()
      const slots = Array.from({ length: this.#plan.connections }, (_, slot) =>
        this.#fill(new Random(this.#seedOf(slot + 1))),
      )
      const others = [keeper.replace(), keeper.trim(), keepFilesCold(world, this.#server.data, random)]
      await this.#inTime(Promise.all([...others, ...slots]))
      if (world.faults.length > 0) return
      await keeper.settle()
      await keeper.leave()
      await this.#rest()
    } catch (error) {
      world.fail(`round ${this.#rounds}: ${(error as Error).stack}`)
    } finally {
      clearTimeout(timer)
    }
  }

  #seedOf(slot: number): number {
    return this.#plan.seed + this.#rounds * 1000 + slot
  }

  /** One connection after another, until the round ends. */
  async #fill(random: Random): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      const connection = await RawConnection.open(world.port)
      this.#lives += 1
      const life = new Life(world, this.#lives, random, connection)
      this.#alive.add(life)
      await life.ask()
      await end(life)
      this.#alive.delete(life)
      world.left(connection)
    }
  }

  async #rest(): Promise<void> {
    const { pid, data } = this.#server
    const deadline = performance.now() + settleMs
    while (socketsOf(pid) > this.#restingSockets && performance.now() < deadline) await sleep(20)
    const { heapUsed, external } = await this.#server.memoryAtRest()
    const { movedBytes, connections } = this.#world
    const sample = {
      ...sampleProcess(pid, data),
      heapBytes: heapUsed,
      externalBytes: external,
      movedBytes,
      connections,
    }
    this.samples.push(sample)
    console.log(`${((performance.now() - this.#began) / 1000).toFixed(0)} s: ${inShort(sample)}`)
  }

  /** The same, or an error that tells who is still there where it takes far too long. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const alive = [...this.#alive].slice(0, unsettledShown).map((life) => life.state)
        reject(new Error(`${this.#alive.size} connections do not come to their end: ${alive.join('; ')}`))
      }, this.#roundMs + settleMs)
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

function inShort(sample: RestSample): string {
  const { sockets, dataFiles, otherFiles, threads, mappings, residentBytes, heapBytes, connections, movedBytes } =
    sample
  const memory = `${(residentBytes / 1e6).toFixed(1)} MB resident, ${(heapBytes / 1e6).toFixed(2)} MB of objects`
  const held = `${sockets + dataFiles + otherFiles} descriptors, ${threads} threads, ${mappings} mappings, ${memory}`
  return `${held}; ${connections} connections so far, ${(movedBytes / 1e9).toFixed(2)} GB`
}
