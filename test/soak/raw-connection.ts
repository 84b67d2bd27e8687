import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiKey, apis, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { readResponse, readResponseHeader, writeRequest } from '../../ts/protocol/codec/frames.js'
import { Reader } from '../../ts/protocol/codec/reader.js'
import { create, type Message } from '../../ts/protocol/schema.js'
import type { Random } from './random.js'

/** The connection ended before this was answered. */
export class ConnectionLost extends Error {}

interface Waiting {
  readonly id: number
  readonly what: string
  readonly resolve: (frame: Buffer) => void
  readonly reject: (error: Error) => void
}

/** Above the largest answer that anybody asks for here. */
const answerBytesMax = 80 << 20
/** Where sockets read into, one after another: what came is copied out at once. */
const readInto = Buffer.allocUnsafeSlow(256 * 1024)

/** One connection, with nothing between the soak and its bytes; counts them. */
export class RawConnection {
  receivedBytes = 0
  sentBytes = 0
  /** Nothing more comes. */
  isOver = false
  /** Resolves when nothing more comes: after the other end's own end, or because the connection is lost. */
  readonly over: Promise<'ended' | 'lost'>
  /** What comes is no answer to anything. */
  isStranger = false
  /** It ended within an answer. */
  isCut = false
  /** What came that should not have; the first of it. */
  fault: string | null = null
  private readonly waiting: Waiting[] = []
  private readonly bell: (() => void)[] = []
  private readonly head = Buffer.alloc(4)
  private headBytes = 0
  private frame: Buffer | null = null
  private frameBytes = 0
  private lastId = 0

  private constructor(readonly socket: Socket) {
    this.over = new Promise((resolve) => {
      const end = (how: 'ended' | 'lost') => {
        this.isOver = true
        for (const { reject, what } of this.waiting.splice(0)) reject(new ConnectionLost(`${what} was not answered`))
        this.ring()
        resolve(how)
      }
      socket.on('error', () => end('lost'))
      socket.on('end', () => {
        this.isCut = this.headBytes > 0 && !this.isStranger
        end('ended')
      })
      socket.on('close', () => end('lost'))
    })
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      let connection: RawConnection | null = null
      const callback = (bytes: number, buffer: Uint8Array) => {
        connection?.take(buffer.subarray(0, bytes))
        return true
      }
      const onread = { buffer: readInto, callback }
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true, onread })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        connection = new RawConnection(socket)
        resolve(connection)
      })
    })
  }

  /** Sends a request, fields that are not given at their defaults; resolves to its answer. */
  ask<K extends ApiKey>(key: K, version: number, fields: Partial<RequestOf<K>>): Promise<ResponseOf<K>> {
    const { parts, answer } = this.prepare(key, version, fields)
    this.write(parts)
    return answer
  }

  /** As `ask`, slowly and in small pieces. */
  async askSlowly<K extends ApiKey>(
    key: K,
    version: number,
    fields: Partial<RequestOf<K>>,
    random: Random,
  ): Promise<ResponseOf<K>> {
    const { parts, answer } = this.prepare(key, version, fields)
    const bytes = Buffer.concat(parts)
    const dripped = this.drip(bytes, random)
    await Promise.all([answer, dripped])
    return answer
  }

  /** Sends a request that is not answered. */
  tell<K extends ApiKey>(key: K, version: number, fields: Partial<RequestOf<K>>): void {
    this.write(this.encode(key, version, fields))
  }

  /** A request as its bytes, which nobody waits for an answer to. */
  encode<K extends ApiKey>(key: K, version: number, fields: Partial<RequestOf<K>>): Uint8Array[] {
    this.lastId += 1
    const table: Message = apis[key].request
    const request = create(table, fields as object) as unknown as RequestOf<K>
    return writeRequest(key, version, this.lastId, 'soak', request)
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.isOver) return
    this.socket.cork()
    for (const part of parts) {
      this.socket.write(part)
      this.sentBytes += part.length
    }
    this.socket.uncork()
  }

  async drip(bytes: Buffer, random: Random): Promise<void> {
    const singleUntil = random.between(5, 60)
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      const end = at < singleUntil ? at + 1 : at + random.between(1, Math.ceil(bytes.length / 4))
      this.write([bytes.subarray(at, end)])
      at = end
      await sleep(random.between(0, 12))
    }
  }

  /** Resolves when so many bytes have come in all, or nothing more comes. */
  async received(bytes: number): Promise<void> {
    while (this.receivedBytes < bytes && !this.isOver) await new Promise<void>((resolve) => this.bell.push(resolve))
  }

  /** Closes this end; what was asked for may still be answered. */
  end(): void {
    this.socket.end()
  }

  /** Closes both ends at once; the other one is told by a reset if it sends more, or by `reset` now. */
  destroy(reset: boolean): void {
    if (reset) this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  /** What is asked for and not answered, for the words of a fault. */
  get unanswered(): string {
    return this.waiting.map(({ what }) => what).join(', ')
  }

  private prepare<K extends ApiKey>(
    key: K,
    version: number,
    fields: Partial<RequestOf<K>>,
  ): { parts: Uint8Array[]; answer: Promise<ResponseOf<K>> } {
    const parts = this.encode(key, version, fields)
    const id = this.lastId
    const what = `${apis[key].name} ${id} (version ${version})`
    const answer = new Promise<Buffer>((resolve, reject) => {
      if (this.isOver) reject(new ConnectionLost(`${what} was not sent`))
      else this.waiting.push({ id, what, resolve, reject })
    }).then((frame) => {
      const reader = new Reader(frame)
      readResponseHeader(reader, key, version)
      return readResponse(reader, key, version)
    })
    return { parts, answer }
  }

  private take(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length
    if (!this.isStranger && this.fault === null) this.cut(chunk)
    this.ring()
  }

  private cut(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.frame === null) {
        while (this.headBytes < 4 && at < chunk.length) this.head[this.headBytes++] = chunk[at++]!
        if (this.headBytes < 4) return
        const size = this.head.readInt32BE(0)
        if (size < 4 || size > answerBytesMax) {
          this.refuse(`an answer announces ${size} bytes`)
          return
        }
        this.frame = Buffer.allocUnsafe(size)
        this.frameBytes = 0
      }
      const taken = Math.min(this.frame.length - this.frameBytes, chunk.length - at)
      this.frame.set(chunk.subarray(at, at + taken), this.frameBytes)
      this.frameBytes += taken
      at += taken
      if (this.frameBytes === this.frame.length) {
        const { frame } = this
        this.frame = null
        this.headBytes = 0
        this.answered(frame)
      }
    }
  }

  private answered(frame: Buffer): void {
    const id = frame.readInt32BE(0)
    const first = this.waiting.shift()
    if (first?.id === id) first.resolve(frame)
    else this.refuse(`an answer to request ${id} came where ${first?.what ?? 'nothing'} was due`)
  }

  private refuse(fault: string): void {
    this.fault ??= fault
    this.socket.destroy()
  }

  private ring(): void {
    for (const wake of this.bell.splice(0)) wake()
  }
}
