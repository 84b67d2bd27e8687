import { engineError } from '../../ts/native/engine-error.js'
import {
  type DeliverWires,
  FrameField,
  frameFieldCount,
  SentDetail,
  type WireBinding,
  WireField,
  WireFlag,
  wireFieldCount,
} from '../../ts/native/wire-binding.js'

/** Frames above this come in blocks of their own. */
export const blockFrameBytes = 1000

interface Event {
  receivedBytes: number
  frames: { bytes: Buffer; isLarge: boolean }[]
  flags: number
  detail: number
  head: Buffer | null
}

type Range = { segment: number; position: number; length: number }

/** The other end of a wire, and what lies between. */
export class FakeWire {
  /** What the other end has taken. */
  readonly taken: Buffer[] = []
  /** Bytes that the socket takes before the other end takes some. */
  room = Number.POSITIVE_INFINITY
  sentBytes = 0
  transfer: (Uint8Array | Range)[] = []
  isPaused = false
  isEnded = false
  isClosed = false
  isDropping = false
  hasWhole = false
  held = Buffer.alloc(0)
  /** Of each call, how many parts. */
  readonly sends: number[] = []
  readonly forced: boolean[] = []
  readonly events: Event[] = []

  get isUnderWay(): boolean {
    return this.transfer.length > 0
  }

  get output(): Buffer {
    return Buffer.concat(this.taken)
  }
}

/** The addon's calls for wires over nothing: a test is the other end, the transfer, and the event loop. */
export class FakeWires implements WireBinding {
  readonly wires = new Map<number, FakeWire>()
  /** Files by segment. Without an entry the segment is closed. */
  readonly segments = new Map<number, Buffer>()
  /** Blocks that were not given back. */
  readonly blocks = new Set<ArrayBuffer>()
  freed = 0
  #events: Float64Array = new Float64Array(0)
  #deliver: DeliverWires = () => {}
  #maxBytes = new Map<number, number>()
  #handles = 0
  /** More frames of one wire are told by several events. */
  framesPerEvent = Number.POSITIVE_INFINITY

  wireStart(events: Float64Array, deliver: DeliverWires): void {
    this.#events = events
    this.#deliver = deliver
  }

  wireAdopt(_descriptor: number, maxRequestBytes: number): number {
    const handle = ++this.#handles
    this.wires.set(handle, new FakeWire())
    this.#maxBytes.set(handle, maxRequestBytes)
    return handle
  }

  wirePause(wire: number): void {
    this.#of(wire).isPaused = true
  }

  wireResume(wire: number): void {
    const one = this.#of(wire)
    one.isPaused = false
  }

  wireSend(wire: number, parts: readonly (Uint8Array | number)[], force: boolean): boolean {
    const one = this.#of(wire)
    if (one.isUnderWay || one.isEnded) throw new Error('sent while something is under way, or behind the end')
    const list: (Uint8Array | Range)[] = []
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!
      if (typeof part !== 'number') list.push(part)
      else {
        if (!this.segments.has(part)) throw engineError('CLOSED', 'the segment is closed')
        list.push({ segment: part, position: parts[++i] as number, length: parts[++i] as number })
      }
    }
    one.sends.push(list.length)
    one.forced.push(force)
    one.transfer = list.filter(({ length }) => length > 0)
    if (!force && list.every((part) => part instanceof Uint8Array)) this.#move(one, one.room)
    return !one.isUnderWay
  }

  wireEnd(wire: number): void {
    const one = this.#of(wire)
    if (one.isUnderWay) throw new Error('ended while something is under way')
    one.isEnded = true
  }

  wireClose(wire: number): void {
    this.#of(wire).isClosed = true
  }

  wireState(wire: number, state: Float64Array): void {
    const { held, sentBytes, transfer } = this.#of(wire)
    state.set([held.length, sentBytes, transfer.length, held.length < 6 ? -1 : held.readInt16BE(4)])
  }

  wireFree(block: ArrayBuffer): void {
    if (!this.blocks.delete(block)) throw new Error('a block was given back twice')
    this.freed++
  }

  wireCounts(counts: Float64Array): void {
    for (let i = 0; i < counts.length; i++) counts[i] = i + 1
  }

  /** Bytes come from the other end; they are told by the next `deliver`. Those for a paused wire wait. */
  receive(wire: number, bytes: Buffer): void {
    const one = this.#of(wire)
    const event = eventOf(one)
    event.receivedBytes += bytes.length
    if (one.isDropping) return
    one.held = Buffer.concat([one.held, bytes])
    for (;;) {
      const { held } = one
      if (held.length < 4) break
      const size = held.readInt32BE(0)
      if (size < 0 || size > this.#maxBytes.get(wire)!) {
        one.isDropping = true
        one.isPaused = true
        event.flags |= WireFlag.badLength
        event.detail = size
        break
      }
      if (held.length < 4 + size) break
      one.hasWhole = true
      event.frames.push({ bytes: held.subarray(4, 4 + size), isLarge: size > blockFrameBytes })
      one.held = held.subarray(4 + size)
    }
    if (one.hasWhole) return
    const last = one.events.at(-1)!
    last.flags |= WireFlag.head
    last.head = one.held.subarray(0, 16)
  }

  end(wire: number): void {
    eventOf(this.#of(wire)).flags |= WireFlag.ended
  }

  lose(wire: number, errno: number): void {
    this.#of(wire).events.push({ receivedBytes: 0, frames: [], flags: WireFlag.lost, detail: errno, head: null })
  }

  /** The transfer moves so many bytes. */
  move(wire: number, bytes: number): void {
    const one = this.#of(wire)
    if (!one.isUnderWay) return
    this.#move(one, bytes)
    if (!one.isUnderWay) this.#sent(one, SentDetail.all)
  }

  /** The transfer gives up. */
  stop(wire: number, detail: number): void {
    const one = this.#of(wire)
    one.transfer = []
    this.#sent(one, detail)
  }

  closeSegment(segment: number): void {
    this.segments.delete(segment)
    for (const [handle, one] of this.wires) {
      const isOver = one.transfer.some((part) => !(part instanceof Uint8Array) && part.segment === segment)
      if (isOver && !one.isClosed) this.stop(handle, SentDetail.segmentClosed)
    }
  }

  /** Tells what has happened, of all wires together. */
  deliver(): void {
    const numbers: number[] = []
    const chunk: Buffer[] = []
    const blocks: ArrayBuffer[] = []
    let chunkBytes = 0
    const place = (bytes: Buffer): number => {
      chunk.push(bytes)
      chunkBytes += bytes.length
      return chunkBytes - bytes.length
    }
    for (const [handle, one] of this.wires) {
      if (one.isClosed) continue
      for (const { flags, receivedBytes, detail, head, frames } of one.events
        .splice(0)
        .flatMap((e) => this.#split(e))) {
        const record = new Array<number>(wireFieldCount)
        record[WireField.wire] = handle
        record[WireField.flags] = flags
        record[WireField.receivedBytes] = receivedBytes
        record[WireField.detail] = detail
        record[WireField.headStart] = head === null ? 0 : place(head)
        record[WireField.headLength] = head?.length ?? 0
        record[WireField.frames] = frames.length
        numbers.push(...record)
        for (const { bytes, isLarge } of frames) {
          const frame = new Array<number>(frameFieldCount)
          frame[FrameField.source] = isLarge ? blocks.length : -1
          frame[FrameField.start] = isLarge ? 8 : place(bytes)
          frame[FrameField.length] = bytes.length
          if (isLarge) blocks.push(this.#blockOf(bytes))
          numbers.push(...frame)
        }
      }
    }
    if (numbers.length === 0) return
    this.#events.set(numbers)
    this.#deliver(numbers.length, chunkBytes === 0 ? null : Buffer.concat(chunk), blocks)
    // Nobody may look at it later.
    this.#events.fill(-1)
  }

  #split(event: Event): Event[] {
    const { frames } = event
    if (frames.length <= this.framesPerEvent) return [event]
    const [first, rest] = [frames.slice(0, this.framesPerEvent), frames.slice(this.framesPerEvent)]
    const next = { ...event, receivedBytes: 0, frames: rest }
    return [{ ...event, flags: 0, frames: first }, ...this.#split(next)]
  }

  #blockOf(bytes: Buffer): ArrayBuffer {
    const block = new ArrayBuffer(8 + bytes.length)
    Buffer.from(block, 8).set(bytes)
    this.blocks.add(block)
    return block
  }

  #move(one: FakeWire, bytes: number): void {
    let left = bytes
    while (left > 0 && one.transfer.length > 0) {
      const part = one.transfer[0]!
      const count = Math.min(left, part.length)
      left -= count
      one.sentBytes += count
      one.room -= count
      one.taken.push(Buffer.from(this.#bytesOf(part).subarray(0, count)))
      if (count === part.length) one.transfer.shift()
      else if (part instanceof Uint8Array) one.transfer[0] = part.subarray(count)
      else one.transfer[0] = { ...part, position: part.position + count, length: part.length - count }
    }
  }

  #bytesOf(part: Uint8Array | Range): Uint8Array {
    if (part instanceof Uint8Array) return part
    return this.segments.get(part.segment)!.subarray(part.position, part.position + part.length)
  }

  #sent(one: FakeWire, detail: number): void {
    one.events.push({ receivedBytes: 0, frames: [], flags: WireFlag.sent, detail, head: null })
  }

  #of(wire: number): FakeWire {
    const one = this.wires.get(wire)
    if (one === undefined || one.isClosed) throw engineError('CLOSED', 'the wire is closed')
    return one
  }
}

function eventOf(one: FakeWire): Event {
  const last = one.events.at(-1)
  if (last !== undefined && (last.flags & ~(WireFlag.head | WireFlag.ended)) === 0) return last
  const event = { receivedBytes: 0, frames: [], flags: 0, detail: 0, head: null }
  one.events.push(event)
  return event
}
