import type { Pace, RequestContext } from '../broker/request-context.js'

/** What a connection says of itself to the requests that come over it. */
export interface Peer {
  readonly clientHost: string
  /** The address at which the client reached this server. */
  readonly localAddress: string
  readonly listener: string
  readonly connectionId: string
  /** Bytes of records that an answer may hold in memory. */
  readonly copiedBytes: number
  /** Aborted when the connection ends; made by the first that asks. */
  readonly signal: AbortSignal
  /** It has ended: nobody will see an answer. */
  readonly isGone: boolean
  /** A request of many elements begins. Nothing that came after it is run until it is answered. */
  beginLong(): Pace
  /** Counts memory for the objects of a request under way, until its answer is there. */
  hold(bytes: number): void
  letGo(bytes: number): void
}

const anonymous = 'User:ANONYMOUS'

/** The context of one request over TCP. What takes a system call or much memory is fetched by those who need it. */
export class ClientRequest implements RequestContext {
  readonly apiVersion: number
  readonly clientId: string | null
  readonly principal = anonymous
  readonly trusted = false
  readonly regions = true
  readonly pace: Pace | undefined
  readonly #peer: Peer

  constructor(peer: Peer, apiVersion: number, clientId: string | null, pace?: Pace) {
    this.#peer = peer
    this.pace = pace
    this.apiVersion = apiVersion
    this.clientId = clientId
  }

  takeTurns(): Pace {
    return this.pace ?? this.#peer.beginLong()
  }

  get clientHost(): string {
    return this.#peer.clientHost
  }

  get localAddress(): string {
    return this.#peer.localAddress
  }

  get listener(): string {
    return this.#peer.listener
  }

  get connectionId(): string {
    return this.#peer.connectionId
  }

  get copiedBytes(): number {
    return this.#peer.copiedBytes
  }

  get signal(): AbortSignal {
    return this.#peer.signal
  }
}
