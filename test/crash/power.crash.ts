import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { brokenPromises, type Promised, parseAcks } from './acks.js'
import { bundleProgram, outcome, randomFrom, startProgram } from './child.js'
import { LoopDisk, missingForLoopDisk } from './loop-disk.js'
import type { WriterOptions } from './writer.js'

const moments = Number(process.env.SEGLOG_POWER_CUTS ?? 50)
const missing = missingForLoopDisk()

describe.skipIf(missing !== null)(`power loss on a real ext4${missing ? ` (${missing})` : ''}`, () => {
  const random = randomFrom(Number(process.env.SEGLOG_SEED ?? 7))
  const disk = missing ? null : new LoopDisk(512)
  afterAll(() => disk?.dispose())

  test(`${moments} moments: no acks=all record is lost, offsets stay dense`, async () => {
    if (!disk) return
    const writer = bundleProgram('writer')
    const data = join(disk.mount(), 'data')
    const clones: { name: string; promised: Promised[] }[] = []
    let before: Promised[] = []
    let journals = 0
    for (let life = 0; clones.length < moments; life += 1) {
      const options: WriterOptions = {
        data,
        cycle: life,
        seed: Math.floor(random() * 1e9),
        // Few partitions flush each by itself, more of them through the journal.
        writers: life % 3 === 0 ? 6 : 24,
        topics: ['orders', 'events'],
        partitions: 8,
        config: { 'segment.bytes': '1048576' },
        acks: life % 2 === 0 ? 'all' : 'mixed',
      }
      const child = startProgram(writer, options)
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
      const ended = outcome(child)
      for (let cut = 0; cut < 10 && clones.length < moments; cut += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20 + random() * 150))
        const promised = [...before, ...parseAcks(output)]
        const name = `clone-${clones.length}`
        disk.clone(name)
        clones.push({ name, promised })
      }
      child.kill('SIGKILL')
      const { errors, signal } = await ended
      expect(signal, errors).toBe('SIGKILL')
      before = [...before, ...parseAcks(output)]
    }

    // The disk stays mounted, so that its clones appear under other device numbers: on the boot that wrote them they would
    // otherwise pass for the disk itself, and what its page cache held would be believed.
    for (const { name, promised } of clones) {
      const at = disk.mount(name)
      if (existsSync(join(at, 'data', '.journal'))) journals += 1
      expect(await brokenPromises(join(at, 'data'), promised, ['all']), name).toEqual([])
      disk.unmount(name)
      disk.remove(name)
    }
    expect(journals).toBeGreaterThan(moments / 4)
    expect(clones.at(-1)?.promised.filter(({ acks }) => acks === 'all').length).toBeGreaterThan(moments)
  }, 1_200_000)
})
