import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Parking } from '../../../ts/broker/groups/parking.js'
import { loopTimers } from '../../../ts/broker/timers.js'
import { TestGroups } from './test-groups.js'

/** Keeps the event loop from doing anything. */
function stall(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

const options = { timers: loopTimers, clock: Date.now, config: { 'group.min.session.timeout.ms': 1 } }
const sessionTimeoutMs = 200

/** A member in generation 1 of a broker in real time. */
async function member(): Promise<{ g: TestGroups; id: string }> {
  const g = await TestGroups.open('memory:', options)
  const id = await g.memberId({ sessionTimeoutMs: 10_000 })
  const { generationId } = await g.join({ memberId: id, sessionTimeoutMs })
  await g.sync(id, generationId, { [id]: 'x' })
  return { g, id }
}

describe('after a stall of the event loop', () => {
  it('a member in this process is still there', async () => {
    const { g, id } = await member()
    const heard: string[] = []
    const beats = setInterval(async () => heard.push(await g.heartbeat(id, 1)), sessionTimeoutMs / 4)
    try {
      while (heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 10))
      stall(5 * sessionTimeoutMs)
      const before = heard.length
      while (heard.length < before + 8) await new Promise((resolve) => setTimeout(resolve, 10))
    } finally {
      clearInterval(beats)
    }
    expect(new Set(heard)).toEqual(new Set(['NONE']))
  })

  it('heartbeats that lie unread in a socket count', async () => {
    const heard: string[] = []
    let onBeat = async (): Promise<string> => ''
    const server = createServer((socket) => {
      socket.on('data', async () => heard.push(await onBeat()))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const socket = await new Promise<Socket>((resolve) => {
      const opened = connect(port, '127.0.0.1', () => resolve(opened))
    })
    const { g, id } = await member()
    onBeat = () => g.heartbeat(id, 1)
    try {
      socket.write('beat')
      while (heard.length < 1) await new Promise((resolve) => setTimeout(resolve, 1))
      // It goes out, and comes in behind the stall that ends after the session.
      socket.write('beat')
      stall(2 * sessionTimeoutMs)
      while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
    } finally {
      socket.destroy()
      server.close()
    }
    expect(heard).toEqual(['NONE', 'NONE'])
  })

  it('a member that is gone is removed all the same', async () => {
    const { g } = await member()
    stall(3 * sessionTimeoutMs)
    while ((await g.state()) !== 'Empty') await new Promise((resolve) => setTimeout(resolve, 10))
  })
})

describe('an idle process', () => {
  const timersThatKeepAlive = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

  it('is kept by what is parked, and by no deadline', async () => {
    const before = timersThatKeepAlive()
    const deadline = loopTimers.after(1_000_000, () => {})
    expect(timersThatKeepAlive()).toBe(before)
    deadline.cancel()
    const parking = new Parking()
    const answers: ((text: string) => void)[] = []
    const parked = [1, 2].map(() => parking.park<string>((answer) => answers.push(answer)))
    expect(timersThatKeepAlive()).toBe(before + 1)
    answers[0]('a')
    expect(timersThatKeepAlive()).toBe(before + 1)
    answers[1]('b')
    expect(timersThatKeepAlive()).toBe(before)
    expect(await Promise.all(parked)).toEqual(['a', 'b'])
    expect(parking.count).toBe(0)
  })
})
