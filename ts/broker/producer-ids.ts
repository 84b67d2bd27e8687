import type { MetadataStore } from './metadata-store.js'

const blockSize = 1000

/** Hands out producer ids, each once and never again: a block is reserved durably before its first id is given away. */
export class ProducerIds {
  readonly #store: MetadataStore
  #next = 0
  #end = 0
  #reserving: Promise<void> | null = null

  constructor(store: MetadataStore) {
    this.#store = store
  }

  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = null
      })
      await this.#reserving
    }
    return this.#next++
  }

  async #reserve(): Promise<void> {
    const first = await this.#store.reserveProducerIds(blockSize)
    this.#next = first
    this.#end = first + blockSize
  }
}
