import { SeglogError } from '../errors/seglog-error.js'
import { codeOf } from '../log/error-code.js'
import { isPromise } from '../log/maybe-promise.js'
import { SegmentRegion } from '../log/segment-region.js'
import { type OpenWire, SendList, type TransferEnd } from '../native/wires.js'
import type { Part } from '../protocol/codec/frames.js'
import { isFileRegion } from '../protocol/file-region.js'
import { RegionRest } from './region-rest.js'
import type { ResponseSender, SenderOwner } from './response-sender.js'
import type { SendingRoom } from './sending-room.js'
import type { SendingTurn } from './sending-turn.js'

/** What may wait for the other end before no more should be given; as much as a socket of Node's holds here. */
const waitingBytesMax = 64 * 1024
/** Regions up to here are read where they are in memory: one system call sends them with the bytes around them. */
const readBytesMax = 64 * 1024

type Item = Uint8Array | RegionRest

/**
 * Sends through the addon. What is sent within one turn of the event loop leaves in one call. Bytes leave at once where
 * the socket takes them; regions of files, and what the socket does not take, are left to the transfer. Until that is done
 * the rest waits here.
 *
 * A segment may be closed under the transfer: its file is not kept open for a slow reader. Then the next piece is read and
 * sent as bytes, and the rest given to the transfer again when they have left, so that nothing is opened in vain.
 */
export class NativeSender implements ResponseSender {
  readonly #wire: OpenWire
  readonly #owner: SenderOwner
  readonly #room: SendingRoom
  readonly #turn: SendingTurn
  readonly #force: boolean
  readonly #queue: Item[] = []
  /** With the transfer, if there are regions among it: what is left of them may have to be sent again. */
  #given: Item[] = []
  #underWayBytes = 0
  /** Bytes of the queue, and with the transfer. */
  #waitingBytes = 0
  /** Bytes of all that was ever given to the wire. */
  #givenBytes = 0
  #isDue = false
  #isUnderWay = false
  /** A segment is being opened, or the first region of the queue read. */
  #isPreparing = false
  #prepared: { readonly item: RegionRest; readonly bytes: Uint8Array } | null = null
  /** The next region begins with a piece that is read. */
  #isCautious = false
  #isClosed = false
  /** Its owner was told to wait. */
  #wasBlocked = false
  /** It was given regions since its owner was last told that none are left: an end of the connection waits for that. */
  #wasBusy = false
  /** Counted among those whose other end is slow. */
  #isSlow = false
  #whenAllLeft: (() => void) | null = null

  /** `force`: all of it is left to the transfer, and no region is read. */
  constructor(wire: OpenWire, owner: SenderOwner, room: SendingRoom, turn: SendingTurn, force: boolean) {
    this.#wire = wire
    this.#owner = owner
    this.#room = room
    this.#turn = turn
    this.#force = force
  }

  get sentBytes(): number {
    return this.#wire.sentBytes
  }

  get isBlocked(): boolean {
    return this.#isPreparing || this.#waitingBytes >= waitingBytesMax
  }

  get isIdle(): boolean {
    return !this.#given.some(isRegion) && !this.#queue.some(isRegion)
  }

  get isSending(): boolean {
    return this.#queue.length > 0 || this.#isUnderWay
  }

  send(parts: readonly Part[]): void {
    for (const part of parts) {
      const item = isFileRegion(part) ? new RegionRest(part) : part
      if (this.#isClosed || item.length === 0) {
        drop(item)
        continue
      }
      if (isRegion(item)) this.#wasBusy = true
      this.#queue.push(item)
      this.#waitingBytes += item.length
    }
    if (this.isBlocked) this.#wasBlocked = true
    if (this.#isDue || this.#isUnderWay || this.#isPreparing || this.#isClosed) return
    this.#isDue = true
    this.#turn.add(this)
  }

  sendTurn(): void {
    this.#isDue = false
    this.#advance()
  }

  /** The transfer is done with what it was given. Not for `lost`. */
  onTransferEnd(end: TransferEnd): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    if (end === 'all') this.#left()
    else if (end === 'segmentClosed') this.#takeBack()
    else this.#fail(new SeglogError('CORRUPT_LOG', 'a file region ended early, or could not be read'))
    this.#advance()
  }

  /** Calls `done` once nothing waits any more; at once if that is so. Not if it is closed before. */
  whenAllLeft(done: () => void): void {
    if (!this.isSending) done()
    else this.#whenAllLeft = done
  }

  close(): void {
    this.#isClosed = true
    this.#slow(false)
    for (const item of this.#given.splice(0)) drop(item)
    for (const item of this.#queue.splice(0)) drop(item)
  }

  /** Sends what can be sent, and says when there is room again. */
  #advance(): void {
    try {
      while (!this.#isUnderWay && !this.#isPreparing && this.#queue.length > 0 && !this.#isClosed) this.#sendNext()
    } catch (error) {
      this.#fail(error)
    }
    if (this.#isClosed) return
    this.#slow(this.#isUnderWay)
    if (!this.isSending && this.#whenAllLeft !== null) {
      const done = this.#whenAllLeft
      this.#whenAllLeft = null
      done()
    }
    const hasRoom = this.#wasBlocked && !this.isBlocked
    const hasRest = this.#wasBusy && this.isIdle
    if (hasRoom) this.#wasBlocked = false
    if (hasRest) this.#wasBusy = false
    if (hasRoom || hasRest) this.#owner.onSent()
  }

  #sendNext(): void {
    const list = new SendList()
    const count = this.#gather(list)
    if (count === 0) return
    let isDone: boolean
    try {
      isDone = this.#wire.send(list, this.#force)
    } catch (error) {
      // One of several segments was closed while the others were opened.
      if (this.#isCautious || codeOf(error) !== 'CLOSED') throw error
      this.#isCautious = true
      return
    }
    this.#isCautious = false
    const given = this.#queue.splice(0, count)
    this.#underWayBytes = bytesOf(given)
    this.#givenBytes += this.#underWayBytes
    this.#given = given.some(isRegion) ? given : []
    if (isDone) this.#left()
    else this.#isUnderWay = true
  }

  /** Puts the head of the queue on the list; answers how many items that are. Stops where something has to be prepared. */
  #gather(list: SendList): number {
    let readBytes = 0
    for (let i = 0; i < this.#queue.length; i++) {
      const item = this.#queue[i]!
      if (!isRegion(item)) {
        list.addBytes(item)
        continue
      }
      const { region } = item
      const isSmall = !this.#force && readBytes + item.length <= Math.min(readBytesMax, this.#room.pieceBytes)
      if (region instanceof SegmentRegion && !isSmall && !this.#isCautious && this.#prepared?.item !== item) {
        if (!this.#addRange(list, region, item)) return i
        continue
      }
      const bytes = this.#read(item)
      if (bytes === null) return i
      readBytes += bytes.length
      list.addBytes(bytes)
      this.#queue.splice(i, item.isDone ? 1 : 0, bytes)
      if (!item.isDone || this.#isCautious) return i + 1
    }
    return this.#queue.length
  }

  /** False while the segment is being opened. */
  #addRange(list: SendList, region: SegmentRegion, { from, length }: RegionRest): boolean {
    const place = region.use((segment, position) => ({ segment, position }))
    if (isPromise(place)) {
      this.#prepare(place)
      return false
    }
    list.addRange(place.segment, place.position + from, length)
    return true
  }

  /** The next piece of a region, null while it is being read. */
  #read(item: RegionRest): Uint8Array | null {
    const bytes = this.#prepared?.item === item ? this.#prepared.bytes : item.read(this.#room.pieceBytes)
    if (isPromise(bytes)) {
      this.#prepare(bytes, (done) => {
        this.#prepared = { item, bytes: done }
      })
      return null
    }
    this.#prepared = null
    item.took(bytes)
    return bytes
  }

  #prepare<T>(work: Promise<T>, use?: (value: T) => void): void {
    this.#isPreparing = true
    this.#wasBlocked = true
    const settled = (): void => {
      this.#isPreparing = false
    }
    work.then(
      (value) => {
        settled()
        if (this.#isClosed) return
        use?.(value)
        this.#advance()
      },
      (error: unknown) => {
        settled()
        this.#fail(error)
      },
    )
  }

  /** What was given has left. */
  #left(): void {
    this.#waitingBytes -= this.#underWayBytes
    for (const item of this.#given.splice(0)) drop(item)
  }

  /** A part of what was given has left; the rest comes before the queue. */
  #takeBack(): void {
    let left = this.#underWayBytes - (this.#givenBytes - this.#wire.sentBytes)
    this.#givenBytes = this.#wire.sentBytes
    this.#waitingBytes -= left
    const rest: Item[] = []
    for (const item of this.#given.splice(0)) {
      const taken = Math.min(left, item.length)
      left -= taken
      if (taken === item.length) drop(item)
      else if (isRegion(item)) rest.push(item.advance(taken))
      else rest.push(item.subarray(taken))
    }
    this.#queue.unshift(...rest)
    this.#isCautious = true
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.close()
    this.#owner.onSendFailed(error)
  }

  #slow(isSlow: boolean): void {
    if (isSlow === this.#isSlow) return
    this.#isSlow = isSlow
    this.#room.blocked += isSlow ? 1 : -1
  }
}

function isRegion(item: Item): item is RegionRest {
  return item instanceof RegionRest
}

function bytesOf(items: readonly Item[]): number {
  let sum = 0
  for (const { length } of items) sum += length
  return sum
}

function drop(item: Item): void {
  if (isRegion(item)) item.region.release()
}
