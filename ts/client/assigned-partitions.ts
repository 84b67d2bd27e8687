import { SeglogError } from '../errors/seglog-error.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { TopicPartition } from './consumer-options.js'

/** The partitions that a consumer reads. */
export class AssignedPartitions {
  private assigned: readonly AssignedPartition[] = []

  constructor(private readonly onChange: () => void) {}

  get list(): readonly AssignedPartition[] {
    return this.assigned
  }

  get places(): TopicPartition[] {
    return this.assigned.map(placeOf)
  }

  add(partitions: readonly AssignedPartition[]): void {
    this.replace([...this.assigned, ...partitions])
  }

  drop(partitions: readonly AssignedPartition[]): void {
    this.replace(this.assigned.filter((one) => !partitions.includes(one)))
  }

  /** What loops and fetches hold of partitions that are not among these any more is void. */
  replace(partitions: readonly AssignedPartition[]): void {
    for (const partition of this.assigned) if (!partitions.includes(partition)) partition.restart()
    this.assigned = partitions
    this.onChange()
  }

  /** Stops giving records of these; with `false` they are given again. */
  hold(partitions: readonly AssignedPartition[], held = true): void {
    for (const partition of partitions) partition.held = held
    this.onChange()
  }

  find({ topic, partition }: TopicPartition): AssignedPartition | undefined {
    return this.assigned.find((one) => one.topic === topic && one.partition === partition)
  }

  /** Throws INVALID_ARGUMENT if it is not read. `of` is the call that wants it. */
  require(of: string, { topic, partition }: TopicPartition): AssignedPartition {
    const found = this.find({ topic, partition })
    if (found !== undefined) return found
    const message = `${of}: ${topic}-${partition} is not read by this consumer; assign it or subscribe to its topic first`
    throw new SeglogError('INVALID_ARGUMENT', message, { topic, partition })
  }

  /** As `require`; all that are read of a topic whose partitions are not named. */
  requireAll(
    of: string,
    places: readonly { topic: string; partitions?: readonly number[] }[],
  ): readonly AssignedPartition[] {
    return places.flatMap(({ topic, partitions }) => {
      if (partitions === undefined) return this.assigned.filter((one) => one.topic === topic)
      return partitions.map((partition) => this.require(of, { topic, partition }))
    })
  }
}

export function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
