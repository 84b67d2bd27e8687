import { setTimeout as sleep } from 'node:timers/promises'
import type { Life } from './life.js'

const weights = { clean: 20, halfClose: 22, reset: 20, stall: 14, stallAndReset: 8, vanish: 6, garbage: 10 }
type EndingName = keyof typeof weights

/** Ends a life's connection in a way of its choice; resolves when nothing of it is left on this side. */
export async function end(life: Life): Promise<void> {
  const { connection, random, world } = life
  const name = random.weighted(weights)
  world.count(name)
  life.ending = name
  await endings[name](life)
  await connection.over
  if (connection.fault !== null) world.fail(`connection ${life.number}: ${connection.fault}`)
  connection.destroy(false)
}

const endings: Readonly<Record<EndingName, (life: Life) => Promise<void>>> = {
  /** All answers are there. */
  async clean(life) {
    await finish(life)
  },

  /** No more is asked, and everything that was still has to be answered, without waiting for more records. */
  async halfClose(life) {
    if (!life.connection.isOver) beginMuch(life)
    life.connection.end()
    await life.settled()
    await expectEnd(life)
  },

  /** Gone with answers on their way. */
  async reset(life) {
    const { connection, random } = life
    life.isDying = true
    beginMuch(life)
    if (random.chance(0.7)) await begun(life, 2 << 20)
    connection.destroy(random.chance(0.5))
    await life.settled()
  },

  /** Takes nothing for a while, then all of it. */
  async stall(life) {
    await stall(life)
    life.connection.socket.resume()
    await life.settled()
    await finish(life)
  },

  async stallAndReset(life) {
    life.isDying = true
    await stall(life)
    life.connection.destroy(life.random.chance(0.5))
    await life.settled()
  },

  /** Gone, or ended, in the middle of a request. */
  async vanish(life) {
    const { connection, random } = life
    life.isDying = true
    connection.write([life.halfRequest()])
    if (random.chance(0.5)) return connection.end()
    // What is written has to leave first, or nothing of the request ever arrives.
    await new Promise<void>((resolve) => connection.socket.write('', () => resolve()))
    connection.destroy(random.chance(0.5))
  },

  /** Something that is no request, behind requests or in place of them. */
  async garbage(life) {
    const { connection, random } = life
    life.isDying = true
    connection.isStranger = true
    const kind = random.of(['http', 'tls', 'negative', 'endless', 'noise'] as const)
    if (kind === 'http') connection.write([Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')])
    else if (kind === 'tls') connection.write([Buffer.from('160301020001000100', 'hex'), random.bytes(512)])
    else if (kind === 'negative') connection.write([Buffer.from('ffffff00', 'hex')])
    else if (kind === 'endless')
      connection.write([Buffer.from('7fffffff', 'hex'), random.bytes(random.between(0, 9000))])
    else {
      connection.write([random.bytes(random.between(1, 9000))])
      // It may be taken for the beginning of a request.
      connection.end()
    }
  },
}

/** Several requests at once, most of them for megabytes. */
function beginMuch(life: Life): void {
  const { random } = life
  const requests = random.between(1, 4)
  for (let i = 0; i < requests; i += 1) {
    if (random.chance(0.6)) life.fetchMuch()
    else life.begin(random.of(['produce', 'tail', 'catchUp', 'metadata'] as const))
  }
}

/** Up to so many bytes of the answers have come, or all of them. */
async function begun(life: Life, mostBytes: number): Promise<void> {
  const { connection, random } = life
  const bytes = connection.receivedBytes + random.magnitude(1, mostBytes)
  await Promise.race([connection.received(bytes), life.settled()])
}

async function stall(life: Life): Promise<void> {
  const { connection, random } = life
  beginMuch(life)
  life.fetchMuch()
  if (random.chance(0.6)) await begun(life, 100_000)
  connection.socket.pause()
  await sleep(random.between(200, 2500))
}

async function finish(life: Life): Promise<void> {
  life.connection.end()
  await expectEnd(life)
}

/** The other end ends too, in order, once all is answered. */
async function expectEnd(life: Life): Promise<void> {
  const { connection, world } = life
  const how = await connection.over
  if (life.isFragile) return
  if (how === 'lost' || connection.isCut) world.fail(`connection ${life.number} was lost when it had ended in order`)
  else life.confirm()
}
