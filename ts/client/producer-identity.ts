import { isPromise } from '../log/maybe-promise.js'
import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { initRequest } from './producer-sessions.js'
import { throwErrorOf } from './response-error.js'
import type { Transport } from './transport.js'

type InitProducerIdResponse = ResponseOf<typeof apiKey.initProducerId>

/**
 * The producer id under which an idempotent producer numbers its batches. After a batch was lost its numbers have a
 * gap that the broker would refuse for ever, so a new id is taken as soon as nothing is in flight under the old one.
 */
export class ProducerIdentity {
  producerId = -1
  producerEpoch = -1
  /** False while batches must wait: no id yet, or the old one has a gap. */
  ready = false
  private asking = false
  private readonly sequences = new Map<string, number>()

  constructor(private readonly transport: Transport) {}

  /** First sequence number of a batch of `count` records; numbers wrap behind 2^31 - 1, as in Kafka. */
  nextSequence(topic: string, partition: number, count: number): number {
    const key = `${partition} ${topic}`
    const sequence = this.sequences.get(key) ?? 0
    this.sequences.set(key, (sequence + count) % 0x8000_0000)
    return sequence
  }

  /** A batch was not stored. */
  lost(): void {
    this.ready = false
  }

  /** Asks for an id; `done` is called once, with the error if there was one. Nothing happens while asking already. */
  ask(done: (error: unknown) => void): void {
    if (this.asking) return
    this.asking = true
    const finish = (response: InitProducerIdResponse) => {
      throwErrorOf(response)
      this.producerId = Number(response.producerId)
      this.producerEpoch = response.producerEpoch
      this.sequences.clear()
      this.ready = true
    }
    const end = (error: unknown) => {
      this.asking = false
      done(error)
    }
    try {
      const response = this.transport.request(apiKey.initProducerId, initRequest)
      if (isPromise(response)) response.then(finish).then(() => end(null), end)
      else {
        finish(response)
        end(null)
      }
    } catch (error) {
      end(error)
    }
  }
}
